//! What a run would do and take.

use app::DraftPlan;
use domain::Graph;
use engine::forecast::Forecast;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::graph::{GraphDoc, ViolationView};

/// What to plan.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanDraft {
    /// Sample inputs of a run; without them, the plan holds for all that the schema allows.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Value>)]
    pub(crate) inputs: Option<Value>,
    /// A graph to plan in place of the draft.
    #[schema(value_type = Option<GraphDoc>)]
    pub(crate) graph: Option<Graph>,
}

/// Null is an input like any other.
fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

/// The plan of a draft.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanView {
    #[serde(flatten)]
    #[schema(value_type = PlanDoc)]
    plan: Forecast,
    /// Limits of the workflow's settings that a run may exceed, each of which refuses to publish it.
    over_limits: Vec<ViolationView>,
}

impl PlanView {
    pub(crate) fn new(planned: DraftPlan) -> Self {
        let over_limits = planned.over_limits.into_iter().map(ViolationView::from).collect();
        Self { plan: planned.plan, over_limits }
    }
}

/// What a run does and takes.
#[derive(Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct PlanDoc {
    /// Every node, in the order of the document.
    nodes: Vec<NodePlanDoc>,
    bounds: BoundsDoc,
    /// The day on which the prices were looked up.
    #[schema(example = "2026-11-21")]
    prices_of: String,
}

/// What is known of one node before it runs.
#[derive(Serialize, ToSchema)]
#[schema(as = NodePlan, no_recursion)]
struct NodePlanDoc {
    #[schema(example = "fetch_orders")]
    key: String,
    #[schema(example = "get_api")]
    node_type: String,
    /// `always`, `perhaps` or `never`.
    #[schema(example = "always")]
    runs: String,
    /// The label that it chooses, where that is known.
    label: Option<String>,
    /// JSON Schema of its output.
    output: Value,
    /// A value like that: what it gives where all that it reads is known, else one that is made up.
    example: Value,
    /// Whether the example is what it gives.
    is_exact: bool,
    /// `{class, code, message}` of the failure that it surely ends in.
    #[schema(value_type = Option<Object>)]
    fails: Value,
    /// The items that it works on, if it is a `for_each`.
    items: Option<AmountDoc>,
    /// What it does for one item.
    #[schema(required = false)]
    body: Vec<NodePlanDoc>,
}

/// At least so many, and at most so many; null where nothing bounds it.
#[derive(Serialize, ToSchema)]
#[schema(as = Amount)]
struct AmountDoc {
    #[schema(example = 2)]
    min: u64,
    #[schema(example = 5)]
    max: Option<u64>,
}

/// What a run that succeeds takes, its children included.
#[derive(Serialize, ToSchema)]
#[schema(as = Bounds)]
pub(super) struct BoundsDoc {
    /// Attempts of nodes.
    steps: AmountDoc,
    /// Calls of those outside.
    calls: AmountDoc,
    /// Messages in queues.
    messages: AmountDoc,
    /// Tokens of models.
    model_tokens: AmountDoc,
    /// Milliseconds from start to end.
    latency_ms: AmountDoc,
    /// Branches or items that one node starts at most.
    fan_out: AmountDoc,
    price_usd: PriceDoc,
}

/// What the cloud asks for, in US dollars, without models and those outside.
#[derive(Serialize, ToSchema)]
#[schema(as = Price)]
struct PriceDoc {
    #[schema(example = 0.002)]
    min: f64,
    #[schema(example = 0.01)]
    max: Option<f64>,
}
