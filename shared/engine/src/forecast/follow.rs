//! One pass over a graph with values: those that are known, and made-up ones where they are not.

use domain::{Graph, OnError, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    Amount, NodeForecast, Runs,
    edges::{Arrived, arrived},
};
use crate::{
    error_value,
    expr::{Entropy, Reads},
    nodes::{Context, Control, Output},
    shape::Shape,
    typed::{NodeShapes, Scene, Walk},
    validate::{Checked, check_body},
};

/// What a run is started with, or an item.
pub(super) struct Start {
    pub(super) value: Value,
    pub(super) is_exact: bool,
    /// The item, in a body.
    pub(super) is_item: bool,
}

/// A node that was followed.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    /// Its place in the document, and in the order of execution.
    pub(super) place: usize,
    pub(super) rank: usize,
    pub(super) runs: Runs,
    pub(super) value: Value,
    pub(super) is_exact: bool,
    pub(super) label: Option<String>,
    /// The failure that it surely ends in, as expressions see it.
    pub(super) fails: Option<Value>,
    shape: Shape,
    pub(super) items: Option<Amount>,
    /// Its body, followed for one item.
    pub(super) body: Vec<Followed>,
    key: String,
    node_type: String,
}

/// Follows a graph without errors, parents first. The answer is in the order of the document.
pub(super) fn follow(
    graph: &Graph,
    checked: &Checked<'_>,
    walk: &mut Walk<'_>,
    scene: &Scene,
    start: &Start,
) -> Vec<Followed> {
    let shapes = walk.run(graph, checked, scene);
    let mut followed: Vec<Option<Followed>> = vec![None; graph.nodes.len()];
    for (rank, place) in checked.topology.order().into_iter().enumerate() {
        let Some(shapes) = &shapes[place] else { continue };
        let here = Follower { graph, checked, start, followed: &followed };
        let mut node = here.node(place, rank, shapes);
        if let (Some(body), Some(((least, most), inner))) = (&checked.nodes[place].body, &shapes.body) {
            let item = Start { value: inner.root.mock(), is_exact: false, is_item: true };
            node.items = Some(Amount { min: *least as u64, max: most.map(|most| most as u64) });
            node.body = follow(body, &check_body(body), walk, inner, &item);
        }
        followed[place] = Some(node);
    }
    followed.into_iter().flatten().collect()
}

struct Follower<'a> {
    graph: &'a Graph,
    checked: &'a Checked<'a>,
    start: &'a Start,
    followed: &'a [Option<Followed>],
}

impl Follower<'_> {
    fn node(&self, place: usize, rank: usize, shapes: &NodeShapes) -> Followed {
        let document = &self.graph.nodes[place];
        let arrived = arrived(self.graph, self.checked, place, self.followed).unwrap_or_else(|| Arrived {
            runs: Runs::Always,
            value: self.start.value.clone(),
            is_exact: self.start.is_exact,
        });
        let mut node = Followed {
            place,
            rank,
            runs: arrived.runs,
            value: Value::Null,
            is_exact: false,
            label: None,
            fails: None,
            shape: shapes.output.clone(),
            items: None,
            body: Vec::new(),
            key: document.key.to_string(),
            node_type: document.node_type.clone(),
        };
        if arrived.runs != Runs::Never {
            self.evaluate(&mut node, &arrived, shapes);
        }
        node
    }

    /// The value that it gives: by its own rules where these are data alone, else one that is made up.
    fn evaluate(&self, node: &mut Followed, arrived: &Arrived, shapes: &NodeShapes) {
        let read = &self.checked.nodes[node.place];
        let (Some(node_type), document) = (read.node_type, &self.graph.nodes[node.place]) else { return };
        let reads = read.metadata.reads().map(|(_, reads)| reads.clone()).fold(Reads::default(), Reads::and);
        let is_exact = arrived.is_exact && self.reads_what_is_known(&reads, node.place);
        let outcome = match (node_type.as_pure(), node_type.control()) {
            (Some(pure), _) => Some(self.with_context(node.place, &reads, &arrived.value, |context| {
                pure.evaluate(&read.metadata, context)
            })),
            (None, Some(Control::Wait)) => Some(Ok(Output::from(arrived.value.clone()))),
            _ => None,
        };
        let matches =
            |value: &Value| read.schema.as_ref().is_none_or(|schema| schema.mismatches(value).is_empty());
        match outcome {
            Some(Ok(output)) if matches(&output.value) => {
                node.value = Value::clone(&output.value);
                node.label = output.label.filter(|_| is_exact);
                node.is_exact = is_exact;
            }
            Some(Err(failure)) if is_exact => match &document.on_error {
                OnError::Continue { default } => (node.value, node.is_exact) = (default.clone(), true),
                OnError::Fail | OnError::Branch => {
                    (node.fails, node.is_exact) = (Some(error_value(&failure)), true);
                }
            },
            _ => node.value = shapes.output.mock(),
        }
        if node.is_exact && node.fails.is_none() {
            node.shape = Shape::of_value(&node.value);
        }
    }

    /// Whether all that its expressions look at is known: nothing of the moment, and no output that is made up.
    fn reads_what_is_known(&self, reads: &Reads, place: usize) -> bool {
        let is_known = |key: &String| {
            let other = self.graph.nodes.iter().position(|node| node.key.as_str() == key);
            other.is_some_and(|other| {
                other != place && self.followed[other].as_ref().is_none_or(|other| other.is_exact)
            })
        };
        self.start.is_exact && !reads.moment && reads.nodes.iter().all(is_known)
    }

    fn with_context<T>(
        &self,
        place: usize,
        reads: &Reads,
        input: &Value,
        work: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
        let make_base = || self.base(place, reads);
        let entropy = Entropy { now: Timestamp::UNIX_EPOCH, seed: [0; 32] };
        let context = Context::new(input, &make_base, entropy);
        work(&context.with_item(self.start.is_item.then_some((&self.start.value, 0))))
    }

    /// What its expressions see as `base`: of other outputs only those that they read.
    fn base(&self, place: usize, reads: &Reads) -> Value {
        let mut outputs = Map::new();
        if reads.all || !reads.nodes.is_empty() {
            let ancestors = self.checked.topology.ancestors(place);
            let before = self.followed.iter().flatten().filter(|other| ancestors[other.place]);
            let ran = before.filter(|other| other.runs != Runs::Never && other.fails.is_none());
            let read = ran.filter(|other| reads.all || reads.nodes.contains(&other.key));
            outputs.extend(read.map(|other| (other.key.clone(), other.value.clone())));
        }
        json!({
            "time": "2026-01-01T00:00:00.000Z",
            "params": self.start.value,
            "nodes": outputs,
            "run": { "id": "run" },
            "workflow": { "id": "workflow", "name": "workflow", "version": 1 },
            "trigger": { "kind": "manual", "by": null },
            "team": { "id": "team" },
            "end_user": null,
        })
    }
}

impl Followed {
    /// What is told of it.
    pub(super) fn told(&self) -> NodeForecast {
        NodeForecast {
            key: self.key.clone(),
            node_type: self.node_type.clone(),
            runs: self.runs,
            label: self.label.clone(),
            output: self.shape.to_schema(),
            example: self.value.clone(),
            is_exact: self.is_exact && self.runs != Runs::Never,
            fails: self.fails.clone(),
            items: self.items,
            body: self.body.iter().map(Self::told).collect(),
        }
    }
}
