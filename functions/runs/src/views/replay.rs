//! Replays.

use std::collections::BTreeMap;

use app::{Comparison, NodeComparison};
use domain::{NodeKey, StepStatus, VersionId};
use engine::{Digest, replay::Difference};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::step::StepStatusDoc;
use crate::values::Budget;

/// What to replay with. All fields may be left out: then the run is replayed as it was.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outputs": {"fetch_orders": {"orders": []}}}))]
pub(crate) struct Replay {
    /// Another version to decide with.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub(crate) version_id: Option<VersionId>,
    /// Outputs, by node, to go on with instead of the recorded ones.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) outputs: BTreeMap<NodeKey, Value>,
}

/// What a replay shows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReplayView {
    /// Whether every node's output hash equals the record.
    #[schema(example = false)]
    equal: bool,
    /// The first node, in the order of execution, that differs.
    #[schema(value_type = Option<String>, example = "fetch_orders")]
    first_difference: Option<NodeKey>,
    /// Every node, in the order of execution.
    nodes: Vec<ReplayedNode>,
    /// The result that was recorded.
    recorded_result: Option<Value>,
    /// The result of the replay; null if it comes to none, or if that is not known.
    replayed_result: Option<Value>,
}

/// A node in the record and in the replay.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReplayedNode {
    #[schema(value_type = String, example = "fetch_orders")]
    node: NodeKey,
    /// Whether status and output hash are the same in both.
    #[schema(example = false)]
    equal: bool,
    recorded: Standing,
    /// A node that was never executed, so that nobody knows what it would come to, is `running` or `waiting`.
    replayed: Standing,
    /// Where its output is first different.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<DifferenceView>,
    /// Whether it would be called with something else than it was, so that its recorded output is an assumption.
    #[schema(example = false)]
    called_otherwise: bool,
}

/// Where a node stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Standing {
    #[schema(value_type = StepStatusDoc)]
    status: StepStatus,
    /// SHA-256 of its output or error as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: Option<Digest>,
}

/// The first difference of two outputs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DifferenceView {
    /// JSON Pointer into both.
    #[schema(example = "/orders/0/total")]
    pointer: String,
    #[schema(example = 129.5)]
    recorded: Option<Value>,
    #[schema(example = 130)]
    replayed: Option<Value>,
}

impl ReplayView {
    pub(crate) fn of(comparison: Comparison) -> Self {
        let mut budget = Budget::default();
        let first = comparison.nodes.iter().find(|node| !node.is_equal()).map(|node| node.node.clone());
        let Comparison { nodes, recorded_result, replayed_result } = comparison;
        Self {
            equal: first.is_none(),
            first_difference: first,
            recorded_result: recorded_result.map(|value| budget.take(&value)),
            replayed_result: replayed_result.map(|value| budget.take(&value)),
            nodes: nodes.into_iter().map(|node| ReplayedNode::of(node, &mut budget)).collect(),
        }
    }
}

impl ReplayedNode {
    fn of(node: NodeComparison, budget: &mut Budget) -> Self {
        let equal = node.is_equal();
        let standing = |(status, sha256): (StepStatus, Option<Digest>)| Standing { status, sha256 };
        let difference = node.difference.map(|Difference { pointer, before, after }| DifferenceView {
            pointer,
            recorded: before.map(|value| budget.take(&value)),
            replayed: after.map(|value| budget.take(&value)),
        });
        Self {
            node: node.node,
            equal,
            recorded: standing(node.recorded),
            replayed: standing(node.replayed),
            difference,
            called_otherwise: node.is_asked_otherwise,
        }
    }
}
