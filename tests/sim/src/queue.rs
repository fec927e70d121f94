//! The steps queue: at least once, in any order, hidden while it is worked on, and for the dead letters in the end.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::ports::{Clock as _, Due, Hint, Name, StepQueue, StoreError, Timer, Timers, unavailable};
use async_trait::async_trait;
use tokio::sync::Notify;

use crate::{chance::Dice, network::Network};

/// When a message that was given back may be received again.
const RELEASED: Duration = Duration::from_secs(1);

/// The messages.
pub struct SimQueue {
    network: Arc<Network>,
    dice: Dice,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    sent: u64,
    messages: Vec<Message>,
}

/// A message that was sent and is not done.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its number.
    pub id: u64,
    /// What was sent.
    pub hint: Hint,
    /// Not before this much of the seed has been played.
    pub visible_on: Duration,
    /// How often it was received.
    pub receives: u32,
}

impl SimQueue {
    /// An empty queue.
    pub fn new(seed: u64, network: Arc<Network>) -> Self {
        let (dice, state) = (Dice::of(seed, "queue"), Mutex::default());
        Self { network, dice, state, changed: Notify::new() }
    }

    /// Puts a hint into the queue at once.
    pub fn put(&self, hint: &Hint, delay_s: u32) {
        self.put_later(hint, Duration::from_secs(u64::from(delay_s)));
    }

    fn put_later(&self, hint: &Hint, delay: Duration) {
        let weather = &self.network.weather;
        let mut visible_on = self.network.clock.elapsed() + delay;
        if self.network.meets("messages late", weather.late) {
            visible_on += Duration::from_millis(self.dice.between(500, 90_000));
        }
        let copies = 1 + usize::from(self.network.meets("messages twice", weather.duplicated));
        let mut state = self.state();
        for _ in 0..copies {
            state.sent += 1;
            let id = state.sent;
            state.messages.push(Message { id, hint: hint.clone(), visible_on, receives: 0 });
            self.network.note(|| {
                let node = hint.node.as_ref().map_or("-", |node| node.as_str());
                format!("message {id} sent: {} {node}, in {} s", crate::short(hint.run_id), delay.as_secs())
            });
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Takes one of the messages that are due, if there is one.
    pub fn receive(&self) -> Option<Message> {
        let (now, weather) = (self.network.clock.elapsed(), &self.network.weather);
        let mut state = self.state();
        let is_dead = |m: &Message| m.visible_on <= now && m.receives >= weather.max_receives;
        for _ in state.messages.extract_if(.., |m| is_dead(m)) {
            self.network.count("dead letters");
        }
        let due: Vec<_> =
            (0..state.messages.len()).filter(|i| state.messages[*i].visible_on <= now).collect();
        if due.is_empty() {
            return None;
        }
        let message = &mut state.messages[self.dice.pick(&due)];
        message.receives += 1;
        message.visible_on = now + Duration::from_secs(weather.visibility_s);
        Some(message.clone())
    }

    /// Deletes a message.
    pub async fn done(&self, id: u64) -> Result<(), StoreError> {
        let delete = || {
            self.state().messages.retain(|message| message.id != id);
            self.network.note(|| format!("message {id} done"));
            Ok(())
        };
        self.network.request("delete a message", delete).await
    }

    /// Gives a message back, to be received again.
    pub async fn release(&self, id: u64) -> Result<(), StoreError> {
        let release = || {
            let now = self.network.clock.elapsed();
            let mut state = self.state();
            for message in state.messages.iter_mut().filter(|message| message.id == id) {
                message.visible_on = now + RELEASED;
            }
            drop(state);
            self.stir();
            Ok(())
        };
        self.network.request("give a message back", release).await
    }

    /// Returns when something was sent, another message is due, or an invocation ended; after `at_most` in any case.
    pub async fn changed(&self, at_most: Duration) {
        let now = self.network.clock.elapsed();
        let due =
            self.state().messages.iter().map(|message| message.visible_on).filter(|due| *due > now).min();
        let until = due.map_or(now + at_most, |due| due.min(now + at_most));
        let _ = tokio::time::timeout_at(self.network.clock.instant(until), self.changed.notified()).await;
    }

    /// Has whoever waits for a change look again.
    pub fn stir(&self) {
        self.changed.notify_one();
    }

    /// How many messages are there.
    pub fn len(&self) -> usize {
        self.state().messages.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were ever sent.
    pub fn sent(&self) -> u64 {
        self.state().sent
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl StepQueue for SimQueue {
    async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError> {
        let send = || {
            for (hint, delay_s) in hints {
                // A batch is not sent all or nothing.
                if self.network.meets("batches torn", self.network.weather.torn) {
                    return Err(unavailable("send hints")("some were sent"));
                }
                self.put(hint, *delay_s);
            }
            Ok(())
        };
        self.network.request("send hints", send).await
    }
}

/// Timers are kept beside the messages, which they become when they are due.
#[async_trait]
impl Timers for SimQueue {
    async fn put(&self, timer: &Timer) -> Result<(), StoreError> {
        let keep = || {
            let hint = serde_json::from_value(timer.message.clone()).map_err(unavailable("read a timer"))?;
            if let Due::Once(at) = timer.due {
                self.put_later(&hint, (at - self.network.clock.now()).to_std().unwrap_or_default());
            }
            Ok(())
        };
        self.network.request("keep a timer", keep).await
    }

    async fn delete(&self, _: &Name) -> Result<(), StoreError> {
        Err(unavailable("delete a timer")("nobody deletes timers here"))
    }
}
