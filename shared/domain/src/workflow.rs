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

impl WorkflowStatus {
    /// Whether somebody may move a workflow there (WF-04); to publish is another matter. It may be archived, and brought back to what it
    /// was: published if it has a version, else a draft. To stay where it stands is no move, and may be asked for.
    pub const fn may_become(self, to: Self, has_version: bool) -> bool {
        match (self, to) {
            (Self::Draft | Self::Archived, Self::Published) => has_version,
            (Self::Archived, Self::Draft) => !has_version,
            (Self::Published, Self::Draft) => false,
            (_, Self::Archived) | (Self::Draft, Self::Draft) | (Self::Published, Self::Published) => true,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::WorkflowStatus::{Archived, Draft, Published};

    #[test]
    fn wf_04_a_workflow_is_archived_and_comes_back_as_what_it_was() {
        for (from, to, with_version, without) in [
            (Draft, Draft, true, true),
            (Draft, Published, true, false),
            (Draft, Archived, true, true),
            (Published, Draft, false, false),
            (Published, Published, true, true),
            (Published, Archived, true, true),
            (Archived, Draft, false, true),
            (Archived, Published, true, false),
            (Archived, Archived, true, true),
        ] {
            assert_eq!(from.may_become(to, true), with_version, "{from:?} to {to:?} with a version");
            assert_eq!(from.may_become(to, false), without, "{from:?} to {to:?} without a version");
        }
    }
}
