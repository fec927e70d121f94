//! What is different between two editions of a workflow: two versions, or a version and the draft (WF-07).
//!
//! A node is the same in both if it has the same id, else if it has the same key. What it is told in is stable: nodes and edges in the
//! order of their document, fields by name, so that the same two editions always read the same.

mod fields;
mod structure;

use std::collections::BTreeMap;

use domain::{Edge, Graph, NodeId, NodeKey, RunSettings};
use serde::Serialize;
use serde_json::{Value, json};

pub use self::fields::{FieldChange, changes};
use crate::{
    forecast::{Bounds, plan_workflow},
    typed::{Known, Scene, Walk, result_of},
    validate,
};

/// An edition of a workflow.
#[derive(Debug, Clone, Copy)]
pub struct Edition<'a> {
    /// The workflow's name in it.
    pub name: &'a str,
    /// Nodes and edges.
    pub graph: &'a Graph,
    /// Whether services may start it through the API.
    pub is_api: bool,
    /// What it says of its runs.
    pub settings: &'a RunSettings,
    /// The schema of its inputs, and the versions that its nodes run.
    pub known: Known<'a>,
}

/// What is different. Nothing in it where two editions do the same in the same words.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Diff {
    /// Nodes.
    pub nodes: NodeChanges,
    /// Edges, by the keys that their ends have: those of the later edition, and of the earlier one where an edge is gone.
    pub edges: EdgeChanges,
    /// What stands around the graph: pointers begin with `/name`, `/is_api`, `/input_params` or `/settings`.
    pub metadata: Vec<FieldChange>,
    /// The JSON Schemas of what nodes and the whole give, as far as they are known before anything runs.
    pub types: TypeChanges,
    /// What a run takes: steps, messages, tokens, latency, price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Change<Bounds>>,
}

impl Diff {
    /// Whether there is no difference.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Something before and after; absent where it was not there, or is not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change<T> {
    /// In the earlier edition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<T>,
    /// In the later one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<T>,
}

impl<T: PartialEq> Change<T> {
    /// The two, if they differ.
    fn of(before: Option<T>, after: Option<T>) -> Option<Self> {
        (before != after).then_some(Self { before, after })
    }
}

/// Nodes that are different.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NodeChanges {
    /// Only in the later edition, whole.
    pub added: Vec<domain::Node>,
    /// Only in the earlier one, whole.
    pub removed: Vec<domain::Node>,
    /// In both.
    pub changed: Vec<NodeChange>,
}

/// A node that is different in the later edition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeChange {
    /// Its id in the later edition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<NodeId>,
    /// Its key in the later edition.
    pub key: NodeKey,
    /// Its key in the earlier one, where that was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<NodeKey>,
    /// Its fields that differ; pointers lead into the node.
    pub fields: Vec<FieldChange>,
}

/// Edges that are different. One whose ends were renamed is the same edge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EdgeChanges {
    /// Only in the later edition.
    pub added: Vec<Edge>,
    /// Only in the earlier one.
    pub removed: Vec<Edge>,
    /// Between the same nodes with another label.
    pub relabelled: Vec<Relabelled>,
}

/// An edge with another label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relabelled {
    /// Key of the parent, in the later edition.
    pub from: NodeKey,
    /// Key of the child, in the later edition.
    pub to: NodeKey,
    /// The label that it had.
    pub before: Option<String>,
    /// The label that it has.
    pub after: Option<String>,
}

/// Outputs that have another shape.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TypeChanges {
    /// Of nodes that are in both editions.
    pub nodes: Vec<NodeTypeChange>,
    /// Of what a run comes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Change<Value>>,
}

/// A node whose output has another shape.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeTypeChange {
    /// Its key in the later edition.
    pub key: NodeKey,
    /// JSON Schemas.
    #[serde(flatten)]
    pub output: Change<Value>,
}

/// What is different in `after`.
pub fn diff(before: &Edition<'_>, after: &Edition<'_>) -> Diff {
    let pairs = structure::pairs(before.graph, after.graph);
    Diff {
        nodes: structure::nodes(before.graph, after.graph, &pairs),
        edges: structure::edges(before.graph, after.graph, &pairs),
        metadata: changes(&around(before), &around(after)),
        types: types(before, after, &pairs),
        bounds: Change::of(bounds(before), bounds(after)),
    }
}

/// What stands around the graph.
fn around(edition: &Edition<'_>) -> Value {
    let Edition { name, is_api, settings, known, .. } = edition;
    json!({"name": name, "is_api": is_api, "input_params": known.input_params, "settings": settings})
}

/// None for a graph that has errors, or can't be planned yet.
fn bounds(edition: &Edition<'_>) -> Option<Bounds> {
    plan_workflow(edition.graph, &edition.known, None).ok().map(|plan| plan.bounds)
}

fn types(before: &Edition<'_>, after: &Edition<'_>, pairs: &[structure::Pair]) -> TypeChanges {
    let ((mut old, old_result), (mut new, new_result)) = (schemas(before), schemas(after));
    let nodes = pairs.iter().filter_map(|pair| {
        let output = Change::of(old.remove(&pair.before), new.remove(&pair.after))?;
        Some(NodeTypeChange { key: after.graph.nodes[pair.after].key.clone(), output })
    });
    TypeChanges { nodes: nodes.collect(), result: Change::of(old_result, new_result) }
}

/// The schemas of what each node gives, by its place, and of what the whole comes to; of a graph with a cycle there are none.
fn schemas(edition: &Edition<'_>) -> (BTreeMap<usize, Value>, Option<Value>) {
    let checked = validate::check(edition.graph);
    let scene = Scene::of_run(edition.known.inputs_shape());
    let shapes = Walk::new(&edition.known).run(edition.graph, &checked, &scene);
    let known =
        shapes.iter().enumerate().filter_map(|(i, node)| Some((i, node.as_ref()?.output.to_schema())));
    let nodes: BTreeMap<usize, Value> = known.collect();
    let is_whole = !shapes.is_empty() && nodes.len() == shapes.len();
    let result = is_whole.then(|| result_of(edition.graph, &checked, &shapes).to_schema());
    (nodes, result)
}
