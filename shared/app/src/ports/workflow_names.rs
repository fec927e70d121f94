//! The port to the names of workflows, for lists of what belongs to them.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::{TeamId, WorkflowId};

use super::StoreError;

/// Names of workflows as they are now, whatever they were when a run was started.
#[async_trait]
pub trait WorkflowNames: Send + Sync {
    /// The names of those of these workflows that the team has.
    async fn names(
        &self,
        team: TeamId,
        workflows: &[WorkflowId],
    ) -> Result<HashMap<WorkflowId, String>, StoreError>;

    /// Up to `limit` workflows of the team that have this text in their name, in any case, the newest first.
    async fn named(&self, team: TeamId, text: &str, limit: u32) -> Result<Vec<WorkflowId>, StoreError>;
}
