//! The ports to the queue that drives runs: sending for everyone, receiving for whoever runs workers.

use std::time::Duration;

use async_trait::async_trait;
use domain::{NodeKey, Priority, RunId, TeamId};
use engine::Run;
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
    /// The class that the run goes in.
    #[serde(default, skip_serializing_if = "Priority::is_default")]
    pub priority: Priority,
}

impl Hint {
    /// "Look at this run", in its class.
    pub const fn at(run: &Run) -> Self {
        Self { run_id: run.id, team_id: run.team_id, node: None, priority: run.priority }
    }

    /// The same hint, about one of the run's nodes.
    pub fn about(self, node: NodeKey) -> Self {
        Self { node: Some(node), ..self }
    }
}

/// Of this many messages that a queue with an order of its own gives out, one is the oldest of any class, so that no class
/// starves behind another (RUN-16).
pub const ANY_CLASS: u32 = 8;

/// Sends hints to the workers, each class before the next one and the teams of a class in turn.
#[async_trait]
pub trait StepQueue: Send + Sync {
    /// Sends every hint after its delay in seconds (at most 900). Returns when all are durable; on an error some may have been
    /// sent, which is harmless.
    async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError>;
}

/// Receives hints. On AWS Lambda does this; it is for workers that run without it, and for looking after a queue.
///
/// A message that was received is hidden from others for the queue's visibility timeout, and comes back after it unless it is
/// done. After the queue's most receives it goes to the dead letters instead.
#[async_trait]
pub trait StepInbox: Send + Sync {
    /// Takes up to `at_most` messages (10 at the most), waiting up to `patience` for the first. None at the end of the patience.
    async fn receive(&self, at_most: u32, patience: Duration) -> Result<Vec<Delivered>, StoreError>;

    /// Deletes a message that was handled. One that is gone already is as good.
    async fn done(&self, receipt: &str) -> Result<(), StoreError>;

    /// Gives a message back, to be received again after `delay_s` seconds.
    async fn release(&self, receipt: &str, delay_s: u32) -> Result<(), StoreError>;
}

/// A hint as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The queue's name for the message, the same at each delivery.
    pub id: String,
    /// Names this delivery to the queue.
    pub receipt: String,
    /// What was sent.
    pub hint: Hint,
    /// How often the message was received, this time included.
    pub receive_count: u32,
}
