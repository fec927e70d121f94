//! The ports of retention: which teams part with their runs and when, where these go first, and their end (RUN-19).

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::{RunId, TeamId, Timestamp};

use super::StoreError;

/// Which teams part with their runs. A team that says nothing keeps them for ever.
#[async_trait]
pub trait RetentionPolicies: Send + Sync {
    /// Every team that does.
    async fn retentions(&self) -> Result<Vec<Retention>, StoreError>;
}

/// How long a team keeps a run after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The team.
    pub team_id: TeamId,
    /// Whole days, at least one. An idempotency key lives no longer, so none outlives its run.
    pub days: u16,
}

/// Runs that have ended, as retention sees them. Runs of chunks are found by the run that they belong to, and never here.
#[async_trait]
pub trait EndedRuns: Send + Sync {
    /// Up to `limit` runs of the team that ended before this time, the first accepted first. May miss what changed a moment ago.
    async fn ended_before(
        &self,
        team: TeamId,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<RunId>, StoreError>;

    /// Notes for good that an ended run of the team was exported. [`StoreError::Conflict`] of an open one, which is left as
    /// it is; one that is gone needs no note.
    async fn mark_exported(&self, team: TeamId, run: RunId) -> Result<(), StoreError>;

    /// Those of the team's runs that [`EndedRuns::mark_exported`] has noted and that are not gone, as of now.
    async fn exported(&self, team: TeamId, runs: &[RunId]) -> Result<BTreeSet<RunId>, StoreError>;

    /// Deletes an ended run of the team with all that is stored beside it, the control state last, so that a run of which
    /// something is left is found again. [`StoreError::Conflict`] of an open one, which is left as it is; one that is gone
    /// is as good. Blobs stay: they are named by their content, and other runs and versions may refer to them.
    async fn purge(&self, team: TeamId, run: RunId) -> Result<(), StoreError>;
}

/// Files that a team takes its data away in.
#[async_trait]
pub trait Exports: Send + Sync {
    /// Stores a file durably. Names are given by Heddle, with `/` between their parts.
    async fn put_export(&self, team: TeamId, name: &str, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// Reads what was stored.
    async fn export(&self, team: TeamId, name: &str) -> Result<Vec<u8>, StoreError>;
}
