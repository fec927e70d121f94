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
    /// How its runs behave as a whole.
    #[serde(default)]
    pub settings: RunSettings,
    /// The versions of other workflows that its nodes and its settings name, frozen at publish.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<UsedVersion>,
    /// When it was published.
    pub created_on: Timestamp,
}

/// How the runs of a version behave as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSettings {
    /// What a failure that no node handles means for the other branches.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// Seconds from its acceptance after which a run fails; a year where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u32>,
    /// The most attempts of nodes that a run may make; see `engine::MAX_STEPS` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u32>,
    /// The workflow that is started when a run fails or is cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_workflow_id: Option<WorkflowId>,
}

/// What a failure that no node handles means for the branches that do not depend on it. The run fails either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Nothing new starts.
    #[default]
    FailFast,
    /// They go on to their end.
    FinishBranches,
}

/// A version of another workflow that a version was published with, so that what it runs never changes under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedVersion {
    /// The workflow that is named.
    pub workflow_id: WorkflowId,
    /// The number that is named; None for the one that was published at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// What that was.
    pub version_id: VersionId,
}
