//! Rules of the step queue: what is sent is received, at least once, by one at a time.
//!
//! The queue under test hides a received message for two seconds, and buries one that was received three times.

use std::{collections::BTreeSet, time::Duration};

use domain::{Priority, RunId, TeamId};

use crate::{
    fakes::team,
    ports::{ANY_CLASS, Delivered, Hint, StepInbox, StepQueue},
};

/// Longer than the visibility timeout, and than any queue takes to bring what is due.
const PATIENCE: Duration = Duration::from_secs(15);

/// Both ends of a queue.
pub trait Queue: StepQueue + StepInbox {}

impl<Q: StepQueue + StepInbox> Queue for Q {}

fn hint(team_id: TeamId, node: &str) -> Hint {
    Hint { run_id: RunId::new(team().uuid()), team_id, node: Some(node.into()), priority: Priority::Default }
}

async fn one(queue: &dyn Queue) -> Delivered {
    let mut received = queue.receive(1, PATIENCE).await.unwrap();
    assert_eq!(received.len(), 1, "one message is due");
    received.remove(0)
}

async fn nothing(queue: &dyn Queue) {
    assert_eq!(queue.receive(10, Duration::ZERO).await.unwrap(), []);
}

pub async fn every_hint_arrives_once(queue: &dyn Queue) {
    let sent: Vec<_> = (0..23).map(|n| (hint(team(), &format!("n{n}")), 0)).collect();
    queue.send(&sent).await.unwrap();
    let (mut ids, mut received) = (BTreeSet::new(), Vec::new());
    while received.len() < sent.len() {
        let some = queue.receive(10, PATIENCE).await.unwrap();
        assert!((1..=10).contains(&some.len()), "{} messages", some.len());
        for message in some {
            assert_eq!(message.receive_count, 1);
            assert!(ids.insert(message.id.clone()), "an id of its own");
            queue.done(&message.receipt).await.unwrap();
            received.push(message.hint);
        }
    }
    assert!(sent.iter().all(|(hint, _)| received.contains(hint)));
    nothing(queue).await;
}

pub async fn a_hint_without_a_node_arrives_as_it_was(queue: &dyn Queue) {
    let sent = Hint { node: None, ..hint(team(), "") };
    queue.send(&[(sent.clone(), 0)]).await.unwrap();
    assert_eq!(one(queue).await.hint, sent);
}

pub async fn hints_of_every_class_arrive_as_they_were(queue: &dyn Queue) {
    let sent = Priority::ALL.map(|priority| (Hint { priority, ..hint(team(), "a") }, 0));
    queue.send(&sent).await.unwrap();
    let mut received = Vec::new();
    while received.len() < sent.len() {
        let message = one(queue).await;
        queue.done(&message.receipt).await.unwrap();
        received.push(message.hint);
    }
    assert!(sent.iter().all(|(hint, _)| received.contains(hint)), "{received:?}");
}

pub async fn a_delayed_hint_comes_when_its_time_has_come(queue: &dyn Queue) {
    let sent = hint(team(), "late");
    queue.send(&[(sent.clone(), 2)]).await.unwrap();
    nothing(queue).await;
    assert_eq!(one(queue).await.hint, sent);
}

pub async fn a_message_that_is_not_done_comes_back_with_its_count(queue: &dyn Queue) {
    let sent = hint(team(), "a");
    queue.send(&[(sent.clone(), 0)]).await.unwrap();
    let first = one(queue).await;
    nothing(queue).await;
    let second = one(queue).await;
    assert_eq!((&second.hint, second.receive_count), (&sent, 2));
    assert_eq!(second.id, first.id);
}

pub async fn a_released_message_comes_back_at_once(queue: &dyn Queue) {
    queue.send(&[(hint(team(), "a"), 0)]).await.unwrap();
    let first = one(queue).await;
    queue.release(&first.receipt, 0).await.unwrap();
    let second = queue.receive(1, Duration::from_secs(1)).await.unwrap();
    assert_eq!(second.iter().map(|message| message.receive_count).collect::<Vec<_>>(), [2]);
}

pub async fn a_message_that_was_received_too_often_is_not_received_again(queue: &dyn Queue) {
    queue.send(&[(hint(team(), "poison"), 0)]).await.unwrap();
    for receive_count in 1..=3 {
        let message = one(queue).await;
        assert_eq!(message.receive_count, receive_count);
        queue.release(&message.receipt, 0).await.unwrap();
    }
    nothing(queue).await;
}

pub async fn what_is_done_twice_is_done(queue: &dyn Queue) {
    queue.send(&[(hint(team(), "a"), 0)]).await.unwrap();
    let message = one(queue).await;
    for _ in 0..2 {
        queue.done(&message.receipt).await.unwrap();
    }
}

pub async fn sending_nothing_sends_nothing(queue: &dyn Queue) {
    queue.send(&[]).await.unwrap();
    nothing(queue).await;
}

/// Not a rule of every queue: SQS promises fairness without saying in which order.
pub async fn teams_take_turns(queue: &dyn Queue) {
    let (noisy, quiet) = (team(), team());
    let many: Vec<_> = (0..30).map(|n| (hint(noisy, &format!("n{n}")), 0)).collect();
    queue.send(&many).await.unwrap();
    queue.send(&[(hint(quiet, "a"), 0), (hint(quiet, "b"), 0)]).await.unwrap();
    let first = queue.receive(4, PATIENCE).await.unwrap();
    assert_eq!(first.iter().filter(|message| message.hint.team_id == quiet).count(), 2);
}

/// Not a rule of every queue: on SQS each class is a queue with workers of its own.
pub async fn a_class_goes_before_the_next_and_teams_take_turns_in_it(queue: &dyn Queue) {
    let (noisy, quiet) = (team(), team());
    for priority in [Priority::Low, Priority::Default, Priority::High] {
        for team in [noisy, noisy, quiet] {
            queue.send(&[(Hint { priority, ..hint(team, "a") }, 0)]).await.unwrap();
        }
    }
    let two = async || {
        let received = queue.receive(2, PATIENCE).await.unwrap();
        let mut received: Vec<_> = received.iter().map(|m| (m.hint.priority, m.hint.team_id)).collect();
        received.sort_by_key(|(priority, team)| (*priority, *team != noisy));
        received
    };
    assert_eq!(two().await, [(Priority::High, noisy), (Priority::High, quiet)]);
    assert_eq!(two().await, [(Priority::High, noisy), (Priority::Default, noisy)]);
}

/// As above.
pub async fn no_class_starves(queue: &dyn Queue) {
    queue.send(&[(Hint { priority: Priority::Low, ..hint(team(), "old") }, 0)]).await.unwrap();
    let ours = team();
    let many: Vec<_> = (0..2 * ANY_CLASS).map(|n| hint(ours, &format!("n{n}"))).collect();
    let many: Vec<_> = many.into_iter().map(|hint| (Hint { priority: Priority::High, ..hint }, 0)).collect();
    queue.send(&many).await.unwrap();
    let mut received = Vec::new();
    for _ in 0..ANY_CLASS {
        received.push(one(queue).await.hint.priority);
    }
    assert_eq!(received.iter().filter(|priority| **priority == Priority::Low).count(), 1, "{received:?}");
    assert_eq!(received[0], Priority::High);
}
