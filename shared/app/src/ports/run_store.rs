//! The port to the durable state of runs (engine.md, Run store).

use std::sync::Arc;

use async_trait::async_trait;
use domain::{RunId, TeamId, Timestamp, VersionId, WorkflowVersion};
use engine::{Digest, Run, StepRecord, Values};
use serde_json::Value;

use super::{RunFilter, RunPage, StoreError};

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

    /// A page of the team's runs, newest first. Where few pass the filter it may hold less than `limit`, or none, and still not be the last.
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

    /// Up to `limit` runs that were to be looked at (`next_check_on`) by `now`, the most overdue first: open ones, and ended ones of which
    /// something is left to do. The store may keep that time only to half a minute, so that a run may be named that much too early.
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

/// Storage for values too large for the run store (RUN-22).
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores bytes under the team and their digest. Storing the same again changes nothing.
    async fn put(&self, team: TeamId, digest: &Digest, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// Reads what was stored.
    async fn get(&self, team: TeamId, digest: &Digest) -> Result<Vec<u8>, StoreError>;
}
