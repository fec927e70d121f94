//! Which edges carry something in the run that is followed, and what.

use domain::{Graph, OnError};
use serde_json::{Map, Value};

use super::{Runs, follow::Followed};
use crate::{
    nodes::{ERROR, Labels, Mode},
    shape::Shape,
    validate::Checked,
};

/// What a node gets.
pub(super) struct Arrived {
    pub(super) runs: Runs,
    pub(super) value: Value,
    pub(super) is_exact: bool,
}

/// What arrives at a node whose parents were followed; None at a root.
pub(super) fn arrived(
    graph: &Graph,
    checked: &Checked<'_>,
    place: usize,
    followed: &[Option<Followed>],
) -> Option<Arrived> {
    let edges = checked.topology.incoming(place);
    if edges.is_empty() {
        return None;
    }
    let live: Vec<_> = edges
        .iter()
        .filter_map(|edge| {
            let (parent, _) = checked.topology.ends(*edge)?;
            let runs = liveness(graph, checked, *edge, followed[parent].as_ref()?);
            (runs != Runs::Never).then_some((*edge, parent, runs))
        })
        .collect();
    let runs = live.iter().map(|(.., runs)| *runs).max().unwrap_or(Runs::Never);
    let is_exact = live.iter().all(|(_, parent, runs)| {
        *runs == Runs::Always && followed[*parent].as_ref().is_some_and(|parent| parent.is_exact)
    });
    let carried = |edge: usize, parent: usize| carried(graph, checked, edge, followed[parent].as_ref());
    let joins = checked.nodes[place].node_type.is_some_and(|found| found.arity().joins);
    let mode = joins.then(|| Mode::of(&graph.nodes[place].metadata));
    let mut values = live.iter().map(|(edge, parent, _)| (*parent, carried(*edge, *parent)));
    let value = match mode {
        None => values.next().map(|(_, value)| value),
        // In plan order, as parents are when they are followed.
        Some(Mode::Any) => values
            .min_by_key(|(parent, _)| followed[*parent].as_ref().map(|parent| parent.rank))
            .map(|(_, value)| value),
        Some(Mode::Append) => Some(Value::Array(values.flat_map(|(_, value)| as_list(value)).collect())),
        Some(Mode::Object) => Some(by_parent(graph, &live, &carried)),
    };
    Some(Arrived { runs, value: value.unwrap_or_default(), is_exact })
}

fn as_list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        single => vec![single],
    }
}

fn by_parent(
    graph: &Graph,
    live: &[(usize, usize, Runs)],
    carried: &impl Fn(usize, usize) -> Value,
) -> Value {
    let mut object = Map::new();
    for (edge, parent, _) in live {
        let key = graph.nodes[*parent].key.as_str();
        let same: Vec<_> = live.iter().filter(|(_, other, _)| other == parent).collect();
        if same.len() == 1 {
            object.insert(key.to_owned(), carried(*edge, *parent));
        } else if !object.contains_key(key) {
            let part = |(edge, parent, _): &&(usize, usize, Runs)| {
                (graph.edges[*edge].label.clone().unwrap_or_default(), carried(*edge, *parent))
            };
            object.insert(key.to_owned(), Value::Object(same.iter().map(part).collect()));
        }
    }
    Value::Object(object)
}

/// Whether an edge is live, as far as that is known.
pub(super) fn liveness(graph: &Graph, checked: &Checked<'_>, edge: usize, parent: &Followed) -> Runs {
    let node = &graph.nodes[parent.place];
    let label = graph.edges[edge].label.as_deref();
    let labels = checked.nodes[parent.place].node_type.map(|found| found.labels(&node.metadata));
    let may_fail = node.on_error == OnError::Branch && !parent.is_exact;
    match (label, &parent.fails, labels) {
        (Some(ERROR), Some(_), _) => parent.runs,
        (Some(ERROR), None, _) => {
            if may_fail {
                parent.runs.min(Runs::Perhaps)
            } else {
                Runs::Never
            }
        }
        (_, Some(_), _) if !matches!(node.on_error, OnError::Continue { .. }) => Runs::Never,
        (Some(label), _, Some(Labels::Choice(_))) => match &parent.label {
            Some(chosen) if chosen != label => Runs::Never,
            Some(_) if !may_fail => parent.runs,
            _ if parent.is_exact => Runs::Never,
            _ => parent.runs.min(Runs::Perhaps),
        },
        _ if may_fail => parent.runs.min(Runs::Perhaps),
        _ => parent.runs,
    }
}

fn carried(graph: &Graph, checked: &Checked<'_>, edge: usize, parent: Option<&Followed>) -> Value {
    let Some(parent) = parent else { return Value::Null };
    let label = graph.edges[edge].label.as_deref();
    let labels =
        checked.nodes[parent.place].node_type.map(|found| found.labels(&graph.nodes[parent.place].metadata));
    match (label, labels) {
        (Some(ERROR), _) => parent.fails.clone().unwrap_or_else(|| Shape::failure().mock()),
        (Some(part), Some(Labels::Parts(_))) => parent.value.get(part).cloned().unwrap_or_default(),
        _ => parent.value.clone(),
    }
}
