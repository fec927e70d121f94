//! The port to timers: messages that arrive when they are due (schedules of workflows, waits longer than a queue's delay).

use async_trait::async_trait;
use domain::Timestamp;
use serde_json::Value;

use super::{Name, StoreError};
use crate::recurrence::Recurrence;

/// Keeps timers and delivers their messages.
///
/// A message is delivered **at least once**, never before it is due, and usually within a minute after. A one-time timer is gone when it
/// has fired. Who receives the message can tell repeated deliveries of one occurrence by [`Fired::timer`] and [`Fired::due_on`].
///
/// On AWS a new timer is one request to EventBridge Scheduler, a replaced one is two, and a deletion is one. An invocation costs
/// $1.00 per million beyond the free 14 million a month, besides the request to the queue that it goes to.
#[async_trait]
pub trait Timers: Send + Sync {
    /// Keeps the timer, in place of the one of its name where there is one. A time that has passed is due at once.
    async fn put(&self, timer: &Timer) -> Result<(), StoreError>;

    /// Forgets the timer of this name, if there is one. A message that is on its way already still arrives.
    async fn delete(&self, name: &Name) -> Result<(), StoreError>;
}

/// A message with a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Timer {
    /// Its name, unique in the deployment.
    pub name: Name,
    /// When it is delivered.
    pub due: Due,
    /// What is delivered; at most 200 KB of JSON.
    pub message: Value,
}

/// When a timer fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Once, at this time.
    Once(Timestamp),
    /// Again and again.
    Recurring(Recurrence),
}

impl Due {
    /// When a timer that is kept from `now` on is first due; None if never.
    pub fn first(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Once(at) => Some(*at),
            Self::Recurring(recurrence) => recurrence.next_after(now),
        }
    }

    /// When a timer that fired at `now` is due again; None if never.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Once(_) => None,
            Self::Recurring(recurrence) => recurrence.next_after(now),
        }
    }
}

/// What is delivered when a timer is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Fired {
    /// The timer's name.
    pub timer: Name,
    /// The time it was due, which is not the time it arrives.
    pub due_on: Timestamp,
    /// The timer's message.
    pub message: Value,
}

/// Receives what timers deliver, where no queue and function stand behind them.
#[async_trait]
pub trait TimerSink: Send + Sync {
    /// Takes a message over for good. On an error it is delivered again later.
    async fn fired(&self, fired: &Fired) -> Result<(), StoreError>;
}
