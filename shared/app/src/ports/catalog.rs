//! The port to the catalog, as far as use cases that span stores need it. Plain reads and writes of one function go to
//! `catalog` directly.

use async_trait::async_trait;
use domain::{
    ExpertId, ExpertStatus, FrozenExpert, Graph, ServiceId, TeamId, Timestamp, VersionId, WorkflowId,
    WorkflowVersion,
};
use engine::Reference;
use serde_json::{Map, Value};

use super::{Act, StoreError};

/// What publishing and starting need to know of the catalog.
#[async_trait]
pub trait WorkflowCatalog: Send + Sync {
    /// The draft as it stands.
    async fn draft(&self, team: TeamId, workflow: WorkflowId) -> Result<Draft, StoreError>;

    /// Those of `references` that do not exist in the team.
    async fn missing(&self, team: TeamId, references: &[Reference]) -> Result<Vec<Reference>, StoreError>;

    /// Those of these experts that the team has, as they are now.
    async fn experts(&self, team: TeamId, experts: &[ExpertId]) -> Result<Vec<ExpertState>, StoreError>;

    /// Records the next version of the workflow and makes it the published one, if the draft's revision is still `revision`;
    /// else [`StoreError::Conflict`]. Answers the version with the number it was given. The logs tell of it.
    async fn insert_version(
        &self,
        version: WorkflowVersion,
        revision: i64,
        note: Option<&str>,
        act: &Act,
    ) -> Result<WorkflowVersion, StoreError>;

    /// The version that a start of this workflow executes; None inside if it was never published or is archived. For a service, a workflow
    /// that it is not attached to is [`StoreError::NotFound`], like one that does not exist (TRG-01, KEY-11).
    async fn runnable(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        service: Option<ServiceId>,
    ) -> Result<Runnable, StoreError>;

    /// A version of a workflow by its number.
    async fn numbered(
        &self,
        team: TeamId,
        workflow: WorkflowId,
        number: u32,
    ) -> Result<WorkflowVersion, StoreError>;

    /// A published version: for repair of the run store, and to look into what a draft uses.
    async fn version(&self, team: TeamId, version: VersionId) -> Result<WorkflowVersion, StoreError>;
}

/// A workflow as its author left it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Nodes and edges; every node has an id.
    pub graph: Graph,
    /// JSON Schema of a run's inputs.
    pub input_params: Map<String, Value>,
    /// Whether services may start it.
    pub is_api: bool,
    /// Five cron fields, if the clock starts it.
    pub cron_schedule: Option<String>,
    /// What its author says of its runs, and what else stands there.
    pub settings: Map<String, Value>,
    /// Counts the edits; what `ETag` shows.
    pub revision: i64,
}

/// An expert as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpertState {
    /// Where it stands.
    pub status: ExpertStatus,
    /// What a version would keep of it.
    pub expert: FrozenExpert,
}

/// What a start of a workflow finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runnable {
    /// The published version.
    pub version_id: Option<VersionId>,
    /// Whether the workflow is archived.
    pub is_archived: bool,
}

/// A version as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedVersion {
    /// Its id.
    pub id: VersionId,
    /// Counts from 1.
    pub number: u32,
    /// What the publisher said.
    pub note: Option<String>,
    /// When.
    pub created_on: Timestamp,
}
