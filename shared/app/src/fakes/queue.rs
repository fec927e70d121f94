//! The queue as a list.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use domain::{TeamId, Timestamp};

use super::lock;
use crate::ports::{
    ANY_CLASS, DeadLetter, DeadLetterPage, DeadLetters, Delivered, Hint, Redrive, StepInbox, StepQueue,
    StoreError,
};

/// How often one looks whether something has become due.
const LOOK: Duration = Duration::from_millis(5);

/// Keeps what was sent until a test takes it, or receives it as a worker would: hidden for two seconds, three times at most,
/// each class before the next and its teams in turn. What was received more often lies with the dead letters.
#[derive(Debug, Default)]
pub struct MemoryQueue(Mutex<Messages>);

#[derive(Debug, Default)]
struct Messages {
    waiting: Vec<Message>,
    dead: Vec<(Message, Timestamp)>,
    sent: u64,
    /// How often one looked for what is due.
    looks: u32,
}

#[derive(Debug)]
struct Message {
    id: u64,
    hint: Hint,
    delay_s: u32,
    sent_on: Timestamp,
    visible_on: Instant,
    receive_count: u32,
}

impl MemoryQueue {
    const VISIBILITY: Duration = Duration::from_secs(2);
    const MAX_RECEIVES: u32 = 3;

    /// Everything sent since the last call, with its delay in seconds, in order.
    pub fn take(&self) -> Vec<(Hint, u32)> {
        let waiting = std::mem::take(&mut lock(&self.0).waiting);
        waiting.into_iter().map(|message| (message.hint, message.delay_s)).collect()
    }

    fn due(&self, at_most: usize) -> Vec<Delivered> {
        let (messages, now) = (&mut *lock(&self.0), Instant::now());
        let is_dead = |m: &mut Message| m.visible_on <= now && m.receive_count >= Self::MAX_RECEIVES;
        let died_on = SystemTime::now().into();
        messages.dead.extend(messages.waiting.extract_if(.., is_dead).map(|message| (message, died_on)));
        messages.looks = messages.looks.wrapping_add(1);
        let any_class = messages.looks.is_multiple_of(ANY_CLASS);
        let mut turns = BTreeMap::<_, u32>::new();
        let mut due = Vec::new();
        for message in messages.waiting.iter_mut().filter(|m| m.visible_on <= now) {
            let class = (!any_class).then_some(message.hint.priority);
            let turn = turns.entry((class, message.hint.team_id)).or_default();
            *turn += 1;
            due.push((class, *turn, message));
        }
        due.sort_by_key(|(class, turn, message)| (*class, *turn, message.id));
        due.truncate(at_most);
        due.into_iter().map(|(.., message)| message.deliver(now)).collect()
    }
}

impl Message {
    fn deliver(&mut self, now: Instant) -> Delivered {
        self.visible_on = now + MemoryQueue::VISIBILITY;
        self.receive_count += 1;
        let (id, hint) = (self.id.to_string(), self.hint.clone());
        Delivered { receipt: id.clone(), id, hint, receive_count: self.receive_count }
    }
}

#[async_trait]
impl StepQueue for MemoryQueue {
    async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError> {
        let messages = &mut *lock(&self.0);
        for (hint, delay_s) in hints {
            messages.sent += 1;
            messages.waiting.push(Message {
                id: messages.sent,
                hint: hint.clone(),
                delay_s: *delay_s,
                sent_on: SystemTime::now().into(),
                visible_on: Instant::now() + Duration::from_secs(u64::from(*delay_s)),
                receive_count: 0,
            });
        }
        Ok(())
    }
}

#[async_trait]
impl StepInbox for MemoryQueue {
    async fn receive(&self, at_most: u32, patience: Duration) -> Result<Vec<Delivered>, StoreError> {
        let end = Instant::now() + patience;
        loop {
            let due = self.due(at_most as usize);
            if !due.is_empty() || Instant::now() >= end {
                return Ok(due);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn done(&self, receipt: &str) -> Result<(), StoreError> {
        lock(&self.0).waiting.retain(|message| message.id.to_string() != receipt);
        Ok(())
    }

    async fn release(&self, receipt: &str, delay_s: u32) -> Result<(), StoreError> {
        let messages = &mut *lock(&self.0);
        for message in messages.waiting.iter_mut().filter(|message| message.id.to_string() == receipt) {
            message.visible_on = Instant::now() + Duration::from_secs(u64::from(delay_s));
        }
        Ok(())
    }
}

#[async_trait]
impl DeadLetters for MemoryQueue {
    async fn list(&self, team: TeamId, limit: u32) -> Result<DeadLetterPage, StoreError> {
        let messages = lock(&self.0);
        let of_team = messages.dead.iter().rev().filter(|(message, _)| message.hint.team_id == team);
        let letters = of_team.map(|(message, died_on)| DeadLetter {
            id: message.id.to_string(),
            run_id: message.hint.run_id,
            node: message.hint.node.clone(),
            receive_count: message.receive_count,
            sent_on: message.sent_on,
            died_on: Some(*died_on),
        });
        Ok(DeadLetterPage::cut(letters.collect(), limit))
    }

    async fn redrive(&self, team: TeamId, which: &Redrive) -> Result<Vec<String>, StoreError> {
        let is_meant = |(message, _): &mut (Message, Timestamp)| {
            message.hint.team_id == team && which.means(&message.id.to_string())
        };
        let risen: Vec<_> = lock(&self.0).dead.extract_if(.., is_meant).collect();
        let hints: Vec<_> = risen.iter().map(|(message, _)| (message.hint.clone(), 0)).collect();
        self.send(&hints).await?;
        Ok(risen.into_iter().map(|(message, _)| message.id.to_string()).collect())
    }
}
