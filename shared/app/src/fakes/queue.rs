//! The queue as a list.

use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::ports::{Hint, StepQueue, StoreError};

/// Keeps what was sent until a test takes it.
#[derive(Debug, Default)]
pub struct MemoryQueue(Mutex<Vec<(Hint, u32)>>);

impl MemoryQueue {
    /// Everything sent since the last call, with its delay in seconds, in order.
    pub fn take(&self) -> Vec<(Hint, u32)> {
        std::mem::take(&mut lock(&self.0))
    }
}

#[async_trait]
impl StepQueue for MemoryQueue {
    async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError> {
        lock(&self.0).extend_from_slice(hints);
        Ok(())
    }
}
