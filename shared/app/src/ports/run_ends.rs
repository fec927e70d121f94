//! The port that saves those who wait for a run's end from looking again and again.

use std::time::Duration;

use async_trait::async_trait;
use domain::RunId;

/// Tells that runs have ended, sooner than looking would.
#[async_trait]
pub trait RunEnds: Send + Sync {
    /// Returns as soon as the run is known to have ended, and at the latest after `at_most`. The run itself says whether it has:
    /// an early return is no proof, and where runs end in other processes nothing may be known here.
    async fn ended(&self, run: RunId, at_most: Duration);
}

/// Knows nothing, so that the caller looks at the run after each pause. For stores that tell nobody of a change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Polling;

#[async_trait]
impl RunEnds for Polling {
    async fn ended(&self, _: RunId, at_most: Duration) {
        tokio::time::sleep(at_most).await;
    }
}
