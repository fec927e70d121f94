//! Workflows and their published versions.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ExpertId, Graph, TeamId, Timestamp, VersionId, WorkflowId};

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
    /// The experts that its nodes name, and those that these name, frozen at publish.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub experts: Vec<FrozenExpert>,
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

/// An expert as it was when a version that names it was published, so that no later edit changes what the version does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrozenExpert {
    /// The expert.
    pub expert_id: ExpertId,
    /// The revision that was frozen.
    pub revision: i64,
    /// Its name then.
    pub name: String,
    /// What the model is told; may hold `{{ }}` templates.
    pub prompt: String,
    /// The model that answers.
    pub model_name: String,
    /// JSON Schema of what the prompt needs.
    #[serde(default)]
    pub input_params: Map<String, Value>,
    /// Temperature, tools, memory, sub-experts and the like.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

impl FrozenExpert {
    /// The experts that it may hand work to (EXP-11).
    pub fn sub_experts(&self) -> impl Iterator<Item = ExpertId> {
        let named = self.settings.get("sub_experts").and_then(Value::as_array).into_iter().flatten();
        named.filter_map(|sub| sub.as_str()?.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        WorkflowStatus::{Archived, Draft, Published},
        *,
    };

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

    #[test]
    fn a_version_that_was_written_before_there_were_frozen_experts_is_read_and_written_as_it_was() {
        let id = "01961234-5678-7abc-8def-0123456789ab";
        let written = json!({
            "id": id, "team_id": id, "workflow_id": id, "workflow_name": "orders", "number": 1,
            "graph": {"nodes": [], "edges": []}, "input_params": {}, "is_api": true,
            "settings": {"on_failure": "fail_fast"}, "created_on": "2026-01-02T03:04:05Z",
        });
        let version: WorkflowVersion = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(version.experts, []);
        assert_eq!(serde_json::to_value(version).unwrap(), written);
    }

    #[test]
    fn sub_experts_are_those_of_the_settings_that_are_ids() {
        let id = "01961234-5678-7abc-8def-0123456789ab";
        let settings = json!({"sub_experts": [id, "x", 7]});
        let expert = FrozenExpert {
            expert_id: id.parse().unwrap(),
            revision: 1,
            name: "Clerk".to_owned(),
            prompt: String::new(),
            model_name: "m".to_owned(),
            input_params: Map::new(),
            settings: settings.as_object().unwrap().clone(),
        };
        assert_eq!(expert.sub_experts().collect::<Vec<_>>(), [expert.expert_id]);
    }
}
