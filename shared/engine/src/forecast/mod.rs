//! What a run would do, told before there is one (WF-11): the whole graph followed over sample inputs or only over shapes. Nothing is called.
//!
//! Nodes whose input is known exactly are evaluated, so that the path they choose is known; all others go on with made-up values of
//! their shapes. Bounds hold for every run that succeeds, whatever those outside answer.

mod amount;
mod bounds;
mod conditions;
mod cost;
mod edges;
mod follow;
mod limits;
mod prices;

use domain::Graph;
use serde::Serialize;
use serde_json::Value;

pub use self::{
    amount::Amount,
    bounds::{Bounds, Price},
    limits::Limits,
};
use crate::{
    Severity, Violation,
    shape::Shape,
    typed::{Known, Scene, Walk},
    validate,
};

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// Every node, in the order of the document.
    pub nodes: Vec<NodeForecast>,
    /// What a run takes at least and at most.
    pub bounds: Bounds,
    /// When the prices were looked up.
    pub prices_of: String,
}

/// What is known of one node before it runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeForecast {
    /// Its key.
    pub key: String,
    /// Its type.
    pub node_type: String,
    /// Whether a run comes to it.
    pub runs: Runs,
    /// The label that it chooses, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// JSON Schema of its output.
    pub output: Value,
    /// A value like that: the one that it gives where all that it reads is known, else one that is made up.
    pub example: Value,
    /// Whether the example is what it gives.
    pub is_exact: bool,
    /// Why it fails, where it surely does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<Value>,
    /// The items that it works on, if it is a `for_each`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Amount>,
    /// What it does for one item.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<NodeForecast>,
}

/// Whether a run comes to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Runs {
    /// No run with these inputs.
    Never,
    /// That depends on what is not known.
    Perhaps,
    /// Every run that does not fail before.
    Always,
}

/// Plans a graph over sample inputs, or over all inputs that its schema allows. Fails with the errors of a graph that has any; types that
/// can't be run yet are none.
pub fn plan_workflow(
    graph: &Graph,
    known: &Known<'_>,
    inputs: Option<&Value>,
) -> Result<Forecast, Vec<Violation>> {
    let checked = validate::check(graph);
    let errors: Vec<_> =
        checked.violations.iter().filter(|found| found.severity == Severity::Error).cloned().collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let shape = inputs.map_or_else(|| known.inputs_shape(), Shape::of_value);
    let value = inputs.cloned().unwrap_or_else(|| shape.mock());
    let start = follow::Start { value, is_exact: inputs.is_some(), is_item: false };
    let scene = Scene::of_run(shape);
    let mut walk = Walk::new(known);
    let mut part = follow::follow(graph, &checked, &mut walk, &scene, &start);
    let conditions = conditions::Conditions::of(graph, &checked, &part);
    for node in part.iter_mut().filter(|node| conditions.is_certain(node.place)) {
        node.runs = if node.runs == Runs::Never { Runs::Never } else { Runs::Always };
    }
    let nodes = part.iter().map(follow::Followed::told).collect();
    let bounds = bounds::of_run(graph, &checked, &part, known);
    Ok(Forecast { nodes, bounds, prices_of: prices::table().looked_up_on.clone() })
}
