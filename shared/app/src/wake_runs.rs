//! Timers of runs: what they deliver are hints.

use std::sync::Arc;

use async_trait::async_trait;

use crate::ports::{Fired, Hint, StepQueue, StoreError, TimerSink};

/// Hands the hints of timers to the workers. A message that is none is dropped with an error in the log: it would never become one.
pub struct HintSink(pub Arc<dyn StepQueue>);

#[async_trait]
impl TimerSink for HintSink {
    async fn fired(&self, fired: &Fired) -> Result<(), StoreError> {
        match serde_json::from_value::<Hint>(fired.message.clone()) {
            Ok(hint) => self.0.send(&[(hint, 0)]).await,
            Err(error) => {
                tracing::error!(timer = %fired.timer, %error, "a timer's message is no hint, dropping it");
                Ok(())
            }
        }
    }
}
