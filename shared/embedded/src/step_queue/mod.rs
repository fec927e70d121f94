//! The step queue on Postgres. A message is a row; whoever receives it hides it for the visibility timeout, and what was
//! received too often goes to the dead letters.
//!
//! Three shortcuts keep a hop from costing more than the write that makes it durable:
//! - a message that is sent while a worker of this process is idle is stored as already received by that worker, and
//!   handed over as soon as it is durable ([`Hands`]);
//! - other processes are woken by `NOTIFY`, and look by themselves once a second;
//! - each process holds an advisory lock for as long as it lives, so that the messages of one that was killed are free at
//!   once and not only after their visibility timeout ([`holder`]).
//!
//! A class goes before the next one (RUN-16), and in it teams take turns: a receive takes the oldest message of each team
//! before the second one of any. One receive in [`ANY_CLASS`](app::ports::ANY_CLASS) knows no classes, so that each is
//! served in the end.

mod dead_letters;
pub(crate) mod hands;
pub(crate) mod holder;
mod inbox;
mod outbox;
pub(crate) mod priority;

use std::{
    sync::{Arc, atomic::AtomicU32},
    time::Duration,
};

use app::ports::{Delivered, Hint, StepInbox, StepQueue, StoreError};
use async_trait::async_trait;
use sqlx::PgPool;

pub(crate) use hands::Hands;
pub(crate) use inbox::POLL;
pub(crate) use outbox::Outbox;

use crate::journal::Journal;

/// How a queue treats its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueOptions {
    /// How long a received message is hidden from others. Longer than any handler takes: a process that dies gives its
    /// messages back without it.
    pub visibility: Duration,
    /// How often a message may be received before it goes to the dead letters.
    pub max_receives: u32,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self { visibility: Duration::from_mins(30), max_receives: 20 }
    }
}

/// Hints in Postgres.
pub struct EmbeddedStepQueue {
    pool: PgPool,
    journal: Journal,
    outbox: Outbox,
    hands: Arc<Hands>,
    holder: i32,
    options: QueueOptions,
    /// How often this process looked for messages.
    looks: AtomicU32,
}

impl EmbeddedStepQueue {
    pub(crate) fn new(
        pool: PgPool,
        journal: Journal,
        outbox: Outbox,
        hands: Arc<Hands>,
        holder: i32,
        options: QueueOptions,
    ) -> Self {
        Self { pool, journal, outbox, hands, holder, options, looks: AtomicU32::new(0) }
    }

    pub(crate) fn pool(&self) -> PgPool {
        self.pool.clone()
    }
}

#[async_trait]
impl StepQueue for EmbeddedStepQueue {
    async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError> {
        if hints.is_empty() {
            return Ok(());
        }
        let messages: Vec<_> =
            hints.iter().map(|(hint, delay_s)| self.outbox.message(hint.clone(), *delay_s)).collect();
        self.journal.send(messages).await
    }
}

#[async_trait]
impl StepInbox for EmbeddedStepQueue {
    async fn receive(&self, at_most: u32, patience: Duration) -> Result<Vec<Delivered>, StoreError> {
        self.receive_within(at_most, patience).await
    }

    async fn done(&self, receipt: &str) -> Result<(), StoreError> {
        self.journal.done(inbox::id_of(receipt)?).await;
        Ok(())
    }

    async fn release(&self, receipt: &str, delay_s: u32) -> Result<(), StoreError> {
        self.release_message(receipt, delay_s).await
    }
}
