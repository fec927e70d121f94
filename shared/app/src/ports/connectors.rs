//! The port to the outside world: one attempt of an effectful node.

use std::time::Duration;

use async_trait::async_trait;
use domain::Failure;
use engine::Call;
use serde_json::Value;

/// Executes effectful nodes.
#[async_trait]
pub trait Connectors: Send + Sync {
    /// Executes one attempt and gives up after the shorter of `budget` and the call's own timeout. Never panics on what the
    /// other side answers; a panic would cost the whole invocation.
    async fn execute(&self, call: &Call, budget: Duration) -> Executed;
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Executed {
    /// The output, or why there is none.
    pub outcome: Result<Value, Failure>,
    /// Lines for the step's log, free of secrets and bodies.
    pub notes: Vec<String>,
}
