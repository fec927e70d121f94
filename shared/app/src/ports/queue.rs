//! The port to the queue that drives runs.

use async_trait::async_trait;
use domain::{NodeKey, RunId, TeamId};
use serde::{Deserialize, Serialize};

use super::StoreError;

/// A message: "look at this run". The truth is the stored run; a hint may come late, twice, or for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hint {
    /// The run to look at.
    pub run_id: RunId,
    /// Its owner; the unit of fairness in the queue.
    pub team_id: TeamId,
    /// The node that may be ready, where the hint is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeKey>,
}

/// Sends hints to the workers.
#[async_trait]
pub trait StepQueue: Send + Sync {
    /// Sends every hint after its delay in seconds (at most 900). Returns when all are durable; on an error some may have been
    /// sent, which is harmless.
    async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError>;
}
