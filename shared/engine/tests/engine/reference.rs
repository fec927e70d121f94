//! A naive interpreter: the same graphs, evaluated node by node in the order of the document, without an
//! engine and without expressions.

use std::collections::BTreeMap;

use domain::Graph;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// What a random node does; known to the interpreter without reading its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// Puts its input into an object.
    Wrap,
    /// Puts its input into a list.
    Pair,
    /// Chooses a label.
    Choose(bool),
    /// Hands out two parts.
    Split,
    /// Fails, and what that means.
    Fail(OnError),
    /// Joins its parents.
    Merge(Mode),
    /// Ends its branch.
    Return,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    Fail,
    Continue,
    Branch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Object,
    Append,
    Any,
}

/// A random node: what it does, whether somebody else does it, and the edges that lead to it.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) does: Does,
    pub(crate) is_effect: bool,
    pub(crate) edges: Vec<(usize, Option<&'static str>)>,
}

pub(crate) fn key(i: usize) -> String {
    format!("n{i}")
}

/// Graphs of up to `most` nodes. Edges lead down the document, so its order is the plan order.
pub(crate) fn shapes(most: usize, effects: bool) -> impl Strategy<Value = Vec<Shape>> {
    let draw = (0..8u8, any::<u8>(), any::<u16>(), any::<bool>());
    prop::collection::vec(draw, 1..=most).prop_map(move |drawn| build(&drawn, effects))
}

fn build(drawn: &[(u8, u8, u16, bool)], effects: bool) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = Vec::new();
    for (i, (kind, chance, parents, is_effect)) in drawn.iter().enumerate() {
        let picked = (0..i).rev().take(6).enumerate().filter(|(bit, _)| parents >> (2 * bit) & 3 == 3);
        let edges: Vec<_> = picked
            .map(|(bit, parent)| {
                let label = label(shapes[parent].does, usize::from(*chance) + bit);
                (parent, label)
            })
            .collect();
        let does = match (edges.len(), kind) {
            (2.., _) => Does::Merge([Mode::Object, Mode::Append, Mode::Any][usize::from(*chance) % 3]),
            (_, 0 | 1) => Does::Choose(chance.is_multiple_of(2)),
            (_, 2) => Does::Split,
            (_, 3) => Does::Fail(
                [OnError::Branch, OnError::Continue, OnError::Branch, OnError::Fail]
                    [usize::from(*chance) % 4],
            ),
            (_, 4 | 5) => Does::Pair,
            _ => Does::Wrap,
        };
        let is_effect = effects && *is_effect && matches!(does, Does::Wrap | Does::Fail(_));
        shapes.push(Shape { does, is_effect, edges });
    }
    for i in 0..shapes.len() {
        let has_child = shapes.iter().any(|shape| shape.edges.iter().any(|(parent, _)| *parent == i));
        if !has_child && shapes[i].does == Does::Wrap && drawn[i].1.is_multiple_of(2) {
            shapes[i].does = Does::Return;
            shapes[i].is_effect = false;
        }
    }
    shapes
}

fn label(parent: Does, chance: usize) -> Option<&'static str> {
    match parent {
        Does::Choose(_) => Some(["true", "false"][chance % 2]),
        Does::Split => [Some("l"), Some("r"), None][chance % 3],
        Does::Fail(OnError::Branch) => [Some("error"), None][chance % 2],
        _ => None,
    }
}

/// The document of these shapes.
pub(crate) fn document(shapes: &[Shape]) -> Graph {
    let nodes: Vec<_> = shapes.iter().enumerate().map(|(i, shape)| node(i, shape)).collect();
    let edges = shapes.iter().enumerate().flat_map(|(i, shape)| {
        shape.edges.iter().map(move |(parent, label)| match label {
            Some(label) => json!({"from": key(*parent), "to": key(i), "label": label}),
            None => json!({"from": key(*parent), "to": key(i)}),
        })
    });
    serde_json::from_value(json!({"nodes": nodes, "edges": edges.collect::<Vec<_>>()})).unwrap()
}

fn node(i: usize, shape: &Shape) -> Value {
    let (node_type, metadata) = match shape.does {
        _ if shape.is_effect => ("get_api", json!({"url": "https://example.com/"})),
        Does::Wrap => ("advanced", json!({"program": format!("{{\"k\": {i}, \"in\": input}}")})),
        Does::Pair => ("map", json!({"mapping": ["{{ input }}", i]})),
        Does::Choose(truth) => ("if_else", json!({"condition": truth.to_string()})),
        Does::Split => ("split", json!({"parts": {"l": "input", "r": i.to_string()}})),
        Does::Fail(_) => ("advanced", json!({"program": "$error('e')"})),
        Does::Merge(Mode::Object) => ("merge", json!({})),
        Does::Merge(Mode::Append) => ("merge", json!({"mode": "append"})),
        Does::Merge(Mode::Any) => ("merge", json!({"mode": "any"})),
        Does::Return => ("return", json!({})),
    };
    let on_error = match shape.does {
        Does::Fail(OnError::Continue) => json!({"action": "continue", "default": i}),
        Does::Fail(OnError::Branch) => json!({"action": "branch"}),
        _ => json!({"action": "fail"}),
    };
    json!({"key": key(i), "node_type": node_type, "metadata": metadata, "on_error": on_error})
}

/// How a run of these shapes ends: outputs of the nodes that succeeded, and the result; None if it fails.
pub(crate) struct Ending {
    pub(crate) outputs: BTreeMap<String, Value>,
    pub(crate) result: Option<Value>,
}

enum Settled {
    Output(Value),
    Error(Value),
    Skipped,
}

/// Plays the shapes through. `error` is what the failure of a node looks like from its error edge.
pub(crate) fn interpret(shapes: &[Shape], inputs: &Value, error: impl Fn(&Shape) -> Value) -> Ending {
    let mut settled: Vec<Settled> = Vec::new();
    let mut fails = false;
    for (i, shape) in shapes.iter().enumerate() {
        let live: Vec<_> = shape
            .edges
            .iter()
            .filter_map(|(parent, label)| {
                Some((*parent, *label, flows(&settled[*parent], shapes[*parent].does, *label)?))
            })
            .collect();
        if live.is_empty() && !shape.edges.is_empty() {
            settled.push(Settled::Skipped);
            continue;
        }
        let input = if shape.edges.is_empty() { inputs.clone() } else { join(shape.does, &live) };
        settled.push(match shape.does {
            Does::Wrap => Settled::Output(json!({"k": i, "in": input})),
            Does::Pair => Settled::Output(json!([input, i])),
            Does::Choose(_) | Does::Merge(_) | Does::Return => Settled::Output(input),
            Does::Split => Settled::Output(json!({"l": input, "r": i})),
            Does::Fail(OnError::Continue) => Settled::Output(json!(i)),
            Does::Fail(on_error) => {
                let goes_on = |child: &Shape| child.edges.contains(&(i, Some("error")));
                fails |= on_error == OnError::Fail || !shapes.iter().any(goes_on);
                Settled::Error(error(shape))
            }
        });
    }
    let outputs: BTreeMap<_, _> = (settled.iter().enumerate())
        .filter_map(|(i, settled)| match settled {
            Settled::Output(value) => Some((key(i), value.clone())),
            _ => None,
        })
        .collect();
    let result = (!fails).then(|| result(shapes, &outputs));
    Ending { outputs, result }
}

/// What an edge hands on; None if it is dead.
fn flows(parent: &Settled, does: Does, label: Option<&str>) -> Option<Value> {
    match (parent, label) {
        (Settled::Error(error), Some("error")) => Some(error.clone()),
        (Settled::Output(_), Some("error")) | (Settled::Error(_) | Settled::Skipped, _) => None,
        (Settled::Output(value), None) => Some(value.clone()),
        (Settled::Output(value), Some(label)) => match does {
            Does::Choose(truth) => (label == truth.to_string()).then(|| value.clone()),
            _ => Some(value[label].clone()),
        },
    }
}

fn join(does: Does, live: &[(usize, Option<&str>, Value)]) -> Value {
    let values = || live.iter().map(|(_, _, value)| value.clone());
    match does {
        Does::Merge(Mode::Object) => {
            Value::Object(live.iter().map(|(parent, _, value)| (key(*parent), value.clone())).collect())
        }
        Does::Merge(Mode::Append) => Value::Array(
            values()
                .flat_map(|value| if let Value::Array(items) = value { items } else { vec![value] })
                .collect(),
        ),
        Does::Merge(Mode::Any) => live.iter().min_by_key(|(parent, ..)| *parent).unwrap().2.clone(),
        _ => values().next().unwrap(),
    }
}

fn result(shapes: &[Shape], outputs: &BTreeMap<String, Value>) -> Value {
    let pick = |wanted: &dyn Fn(usize) -> bool| -> Vec<(String, Value)> {
        let keys = (0..shapes.len()).filter(|i| wanted(*i)).map(key);
        keys.filter_map(|key| outputs.get(&key).map(|value| (key, value.clone()))).collect()
    };
    let mut found = pick(&|i| shapes[i].does == Does::Return);
    if found.is_empty() {
        found = pick(&|i| !shapes.iter().any(|child| child.edges.iter().any(|(parent, _)| *parent == i)));
    }
    match found.len() {
        0 => Value::Null,
        1 => found.remove(0).1,
        _ => Value::Object(found.into_iter().collect::<Map<_, _>>()),
    }
}
