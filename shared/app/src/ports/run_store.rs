//! The port to the durable state of runs (engine.md, Run store).

use std::sync::Arc;

use async_trait::async_trait;
use domain::{RunId, RunStatus, TeamId, Timestamp, TriggerKind, VersionId, WorkflowId, WorkflowVersion};
use engine::{Digest, Run, StepRecord, Values};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StoreError;
use crate::position::RunPosition;

/// Durable state of runs and the versions they execute.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Stores a new run with its inputs, and the idempotency key where one was given, atomically.
    async fn create(
        &self,
        run: &Run,
        inputs: &Value,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Created, StoreError>;

    /// Reads a run of this team with the step records its control state refers to, consistently with its last commit.
    async fn load(&self, team: TeamId, run: RunId) -> Result<LoadedRun, StoreError>;

    /// Reads only the control state of a run of this team.
    async fn load_control(&self, team: TeamId, run: RunId) -> Result<Run, StoreError>;

    /// Reads a run of this team with its step records, but without the values: the records have no outputs. What happened in a run is
    /// told by these; where outputs are large it costs far less than [`RunStore::load`].
    async fn load_records(&self, team: TeamId, run: RunId) -> Result<(Run, Vec<StepRecord>), StoreError>;

    /// Writes `records` (idempotent), then replaces the control state if its stored revision is still `run.revision - 1`;
    /// else [`StoreError::Conflict`]. The replacement is the only commit point.
    async fn commit(&self, run: &Run, records: &[StepRecord]) -> Result<(), StoreError>;

    /// A page of the team's runs, newest first.
    async fn list(
        &self,
        team: TeamId,
        filter: &RunFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<RunPage, StoreError>;

    /// Stores a published version. Storing the same version again changes nothing.
    async fn put_version(&self, version: &WorkflowVersion) -> Result<(), StoreError>;

    /// Reads a published version of this team.
    async fn version(&self, team: TeamId, version: VersionId) -> Result<Arc<WorkflowVersion>, StoreError>;

    /// Up to `limit` open runs that were to be looked at (`next_check_on`) by `now`, the most overdue first. The store may keep
    /// that time only to half a minute, so that a run may be named that much too early.
    async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<(TeamId, RunId)>, StoreError>;

    /// Whether the store answers; for readiness checks.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// What a client sent as `Idempotency-Key`, with the digest of what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// As the client sent it; 1 to 255 visible characters. Unique per team.
    pub key: String,
    /// Digest of the request that it stands for.
    pub request: Digest,
    /// When the store may forget it.
    pub expires_on: Timestamp,
}

/// What came of [`RunStore::create`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// The run is stored. Nobody has been told yet.
    New,
    /// The run is stored together with its first hint, as a store can that holds the step queue too.
    Announced,
    /// The key was used before for the same request: this is its run.
    Existing(RunId),
    /// The key was used before for another request.
    KeyReused,
}

impl Created {
    /// Whether a run was stored.
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::New | Self::Announced)
    }
}

/// A run as its last commit left it.
#[derive(Debug, Clone)]
pub struct LoadedRun {
    /// The control state.
    pub run: Run,
    /// Inputs and outputs that it refers to.
    pub values: Values,
    /// Step records of every attempt that was committed, in order of their start.
    pub records: Vec<StepRecord>,
}

/// Which runs to list. Absent fields filter nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only of this workflow.
    pub workflow_id: Option<WorkflowId>,
    /// Only in this status.
    pub status: Option<RunStatus>,
}

/// A page of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPage {
    /// Newest first.
    pub items: Vec<RunSummary>,
    /// Where the next page begins; opaque. None at the end.
    pub next_cursor: Option<String>,
}

impl RunPage {
    /// The page of these runs, of which a store reads one more than the page holds to see whether there is another.
    pub fn cut(mut items: Vec<RunSummary>, limit: u32) -> Self {
        let limit = limit as usize;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| has_more);
        let next_cursor = last.map(|run| RunPosition::of_summary(run).to_cursor());
        Self { items, next_cursor }
    }
}

/// A run as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The version.
    pub version_id: VersionId,
    /// Where it stands.
    pub status: RunStatus,
    /// What started it.
    pub trigger: TriggerKind,
    /// When it was accepted.
    pub created_on: Timestamp,
    /// When it ended.
    pub finished_on: Option<Timestamp>,
}

impl RunSummary {
    /// What lists show of this run.
    pub fn of(run: &Run) -> Self {
        Self {
            id: run.id,
            workflow_id: run.workflow_id,
            version_id: run.version_id,
            status: run.status,
            trigger: run.trigger.kind,
            created_on: run.created_on,
            finished_on: run.finished_on,
        }
    }
}

/// Storage for values too large for the run store (RUN-22).
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores bytes under the team and their digest. Storing the same again changes nothing.
    async fn put(&self, team: TeamId, digest: &Digest, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// Reads what was stored.
    async fn get(&self, team: TeamId, digest: &Digest) -> Result<Vec<u8>, StoreError>;
}
