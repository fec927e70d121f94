//! Graphs and what is wrong with them.

use app::ports::Draft;
use domain::{Graph, NodeId, NodeKey};
use engine::{Severity, Violation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A directed acyclic graph of nodes.
#[derive(Serialize, ToSchema)]
#[schema(as = Graph, example = json!({
    "nodes": [
        {"key": "fetch_orders", "node_type": "get_api", "metadata": {"url": "https://shop.example.com/orders"}},
        {"key": "big_ones", "node_type": "filter", "metadata": {
            "items": "{{ input.body }}", "condition": "{{ item.total >= base.params.amount }}",
        }},
    ],
    "edges": [{"from": "fetch_orders", "to": "big_ones"}],
}))]
pub(crate) struct GraphDoc {
    /// At most 500.
    nodes: Vec<NodeDoc>,
    /// Arrows between node keys.
    #[schema(required = false)]
    edges: Vec<EdgeDoc>,
}

/// One node of a graph.
#[derive(Serialize, ToSchema)]
#[schema(as = Node)]
pub(crate) struct NodeDoc {
    /// Given by the server where the author gives none.
    #[schema(value_type = Option<Uuid>)]
    id: Option<NodeId>,
    /// Unique in the workflow, `snake_case`; what expressions say after `base.nodes.`.
    #[schema(example = "fetch_orders")]
    key: String,
    /// For people.
    #[schema(example = "Fetch the orders")]
    name: Option<String>,
    /// Such as `get_api`, `filter` or `return`.
    #[schema(example = "get_api")]
    node_type: String,
    /// What the type needs; text may hold `{{ }}` templates.
    #[schema(value_type = Option<Object>)]
    metadata: Value,
    /// JSON Schema of the output, or an example of its shape.
    structured_output: Option<Value>,
    /// `{max_retries, delays_s?}`.
    #[schema(value_type = Option<Object>)]
    retry: Value,
    /// Seconds one attempt may take; 30 where absent.
    #[schema(example = 30)]
    timeout_s: Option<u32>,
    /// `{action: fail | continue | branch, default?}`.
    #[schema(value_type = Option<Object>)]
    on_error: Value,
    /// `{x, y}` on a canvas.
    #[schema(value_type = Option<Object>)]
    position: Value,
}

/// An arrow: `to` runs after `from`, and only if `from` chose `label`.
#[derive(Serialize, ToSchema)]
#[schema(as = Edge)]
struct EdgeDoc {
    /// Key of the parent.
    #[schema(example = "fetch_orders")]
    from: String,
    /// Key of the child.
    #[schema(example = "big_ones")]
    to: String,
    /// `true`, `false`, a case, a part, or `error`.
    label: Option<String>,
}

/// A graph to check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "graph": {
        "nodes": [{"key": "double", "node_type": "map", "metadata": {"mapping": {"twice": "{{ input.amount * 2 }}"}}}],
        "edges": [],
    },
    "input_params": {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]},
}))]
pub(crate) struct CheckGraph {
    #[schema(value_type = GraphDoc)]
    pub(crate) graph: Graph,
    /// JSON Schema of a run's inputs; `{}` takes anything, so that nothing is known of them.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) input_params: Map<String, Value>,
}

/// A graph to check in place of the draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckDraft {
    #[schema(value_type = Option<GraphDoc>)]
    pub(crate) graph: Option<Graph>,
}

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Verdict {
    /// Whether there is no error; warnings don't count.
    #[schema(example = false)]
    valid: bool,
    violations: Vec<ViolationView>,
}

impl Verdict {
    pub(crate) fn of(violations: Vec<Violation>) -> Self {
        let valid = violations.iter().all(|violation| violation.severity != Severity::Error);
        Self { valid, violations: violations.into_iter().map(ViolationView::from).collect() }
    }
}

/// One place of a graph that breaks a rule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ViolationView {
    /// `error` or `warning`.
    #[schema(value_type = String, example = "error")]
    severity: Severity,
    /// JSON Pointer (RFC 6901) into the graph.
    #[schema(example = "/nodes/1/metadata/condition")]
    pointer: String,
    /// A stable word for programs.
    #[schema(example = "unknown_field")]
    code: String,
    /// A sentence for people.
    #[schema(example = "There is no field total here.")]
    detail: String,
    /// The node, where the mistake is in one.
    #[schema(value_type = Option<String>, example = "big_ones")]
    node: Option<NodeKey>,
    /// Character offset inside the field, where it is an expression.
    #[schema(example = 3)]
    offset: Option<usize>,
}

impl From<Violation> for ViolationView {
    fn from(violation: Violation) -> Self {
        Self {
            severity: violation.severity,
            pointer: violation.pointer,
            code: violation.code,
            detail: violation.message,
            node: violation.node,
            offset: violation.offset,
        }
    }
}

/// A graph that was stored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SavedGraph {
    #[schema(value_type = GraphDoc)]
    graph: Graph,
    /// Counts the edits; the `ETag`.
    #[schema(example = 12)]
    revision: i64,
    /// Places that run, but perhaps not as their author means.
    warnings: Vec<ViolationView>,
}

impl SavedGraph {
    pub(crate) fn new(draft: Draft, warnings: Vec<Violation>) -> Self {
        let warnings = warnings.into_iter().map(ViolationView::from).collect();
        Self { graph: draft.graph, revision: draft.revision, warnings }
    }
}
