//! Workflows and their published versions.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Graph, TeamId, Timestamp, VersionId, WorkflowId};

/// Where a workflow stands in its life (product.md, vocabulary).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowStatus {
    /// Never published.
    Draft,
    /// Has a version that runs.
    Published,
    /// Starts no more runs.
    Archived,
}

/// An immutable snapshot: all that a run needs to know of its workflow, without the catalog (architecture.md, first invariant).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkflowVersion {
    /// The id that runs keep for ever.
    pub id: VersionId,
    /// The owner.
    pub team_id: TeamId,
    /// What it is a snapshot of.
    pub workflow_id: WorkflowId,
    /// The workflow's name at publish.
    pub workflow_name: String,
    /// Counts from 1 in its workflow.
    pub number: u32,
    /// The graph as validated at publish; every node has an id.
    pub graph: Graph,
    /// JSON Schema that the inputs of a run must match; `{}` takes anything.
    #[serde(default)]
    pub input_params: Map<String, Value>,
    /// Whether services may start it through the API (TRG-01).
    pub is_api: bool,
    /// When it was published.
    pub created_on: Timestamp,
}
