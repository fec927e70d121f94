//! The queue in memory with a bell: whoever waits for a message is woken by it, so that no look at intervals is measured.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use app::{
    fakes::MemoryQueue,
    ports::{Delivered, Hint, StepInbox as _, StepQueue, StoreError},
};
use async_trait::async_trait;
use tokio::{sync::Semaphore, time::timeout};

use crate::spent::{self, Asked};

/// How often one looks for messages that were delayed, which ring when they are sent and not when they are due.
const LOOK: Duration = Duration::from_millis(100);

/// A queue that rings.
pub(super) struct Bell {
    queue: MemoryQueue,
    /// A permit for each message that was sent.
    rung: Semaphore,
    requests: AtomicU64,
    messages: AtomicU64,
}

impl Default for Bell {
    fn default() -> Self {
        let (requests, messages) = Default::default();
        Self { queue: MemoryQueue::default(), rung: Semaphore::new(0), requests, messages }
    }
}

impl Bell {
    /// The next message.
    pub(super) async fn next(&self) -> Result<Delivered, StoreError> {
        loop {
            if let Ok(Ok(permit)) = timeout(LOOK, self.rung.acquire()).await {
                permit.forget();
            }
            if let Some(delivered) = self.queue.receive(1, Duration::ZERO).await?.pop() {
                return Ok(delivered);
            }
        }
    }

    /// Acknowledges a message.
    pub(super) async fn done(&self, receipt: &str) -> Result<(), StoreError> {
        self.queue.done(receipt).await
    }

    /// What was asked of it.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        spent::counted("queue", [("send", count(&self.requests), count(&self.messages))])
    }
}

#[async_trait]
impl StepQueue for Bell {
    async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError> {
        if hints.is_empty() {
            return Ok(());
        }
        self.queue.send(hints).await?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.messages.fetch_add(hints.len() as u64, Ordering::Relaxed);
        self.rung.add_permits(hints.len());
        Ok(())
    }
}
