//! What flows along edges: which are live, what a node gets as `input`, what its expressions see as `base`.

use std::borrow::Cow;

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    NodeState, Plan, Run, Values,
    compile::Link,
    expr::Entropy,
    nodes::{ERROR, Labels, Mode},
};

static NULL: Value = Value::Null;

/// Whether an edge, seen from its child, is live; None while its parent is not settled.
///
/// It is live when its parent succeeded and chose its label (or it has none), or when it is the `error` edge
/// of a parent that failed.
pub(crate) fn is_live(plan: &Plan, run: &Run, edge: &Link) -> Option<bool> {
    let parent = &plan.nodes()[edge.other];
    let label = edge.label.as_deref();
    match run.nodes.get(&parent.key)? {
        NodeState::Ready { .. } | NodeState::Running { .. } => None,
        NodeState::Skipped { .. } | NodeState::Cancelled => Some(false),
        NodeState::Failed { handled, .. } => Some(*handled && label == Some(ERROR)),
        NodeState::Succeeded { label: chosen, .. } => Some(match (label, &parent.labels) {
            (Some(ERROR), _) => false,
            (None, _) | (Some(_), Labels::Parts(_)) => true,
            (Some(label), _) => chosen.as_deref() == Some(label),
        }),
    }
}

/// Whether a node that is still blocked may start, will never, or has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// A parent is not settled.
    Blocked,
    /// Every parent is settled and an edge is live, or there is none.
    Ready,
    /// No edge will be live.
    Dead,
}

pub(crate) fn readiness(plan: &Plan, run: &Run, node: usize) -> Readiness {
    let incoming = &plan.nodes()[node].incoming;
    let mut any_live = incoming.is_empty();
    for edge in incoming {
        match is_live(plan, run, edge) {
            None => return Readiness::Blocked,
            Some(live) => any_live |= live,
        }
    }
    if any_live { Readiness::Ready } else { Readiness::Dead }
}

/// What the node sees as `input`.
pub(crate) fn input<'a>(plan: &'a Plan, run: &Run, values: &'a Values, node: usize) -> Cow<'a, Value> {
    let node = &plan.nodes()[node];
    if node.incoming.is_empty() {
        return Cow::Borrowed(&values.inputs);
    }
    let mut live = node.incoming.iter().filter(|edge| is_live(plan, run, edge) == Some(true));
    match node.joins {
        Some(Mode::Object) => Cow::Owned(by_parent(plan, values, &live.collect::<Vec<_>>())),
        Some(Mode::Append) => Cow::Owned(appended(live.map(|edge| carried(plan, values, edge)))),
        Some(Mode::Any) => Cow::Borrowed(
            live.min_by_key(|edge| edge.other).map_or(&NULL, |edge| carried(plan, values, edge)),
        ),
        None => Cow::Borrowed(live.next().map_or(&NULL, |edge| carried(plan, values, edge))),
    }
}

/// What a live edge hands on: a part if it has the label of one, else all that its parent gave.
fn carried<'a>(plan: &Plan, values: &'a Values, edge: &Link) -> &'a Value {
    let parent = &plan.nodes()[edge.other];
    let value = values.outputs.get(&parent.key).map_or(&NULL, |value| &**value);
    match (&parent.labels, edge.label.as_deref()) {
        (Labels::Parts(_), Some(label)) if label != ERROR => value.get(label).unwrap_or(&NULL),
        _ => value,
    }
}

fn by_parent(plan: &Plan, values: &Values, live: &[&Link]) -> Value {
    let mut object = Map::new();
    for edge in live {
        let from_same = || live.iter().filter(|other| other.other == edge.other);
        let key = plan.nodes()[edge.other].key.as_str();
        if from_same().count() == 1 {
            object.insert(key.to_owned(), carried(plan, values, edge).clone());
        } else if !object.contains_key(key) {
            let parts = from_same()
                .map(|part| (part.label.clone().unwrap_or_default(), carried(plan, values, part).clone()));
            object.insert(key.to_owned(), Value::Object(parts.collect()));
        }
    }
    Value::Object(object)
}

fn appended<'a>(parts: impl Iterator<Item = &'a Value>) -> Value {
    let mut list = Vec::new();
    for part in parts {
        match part {
            Value::Array(items) => list.extend_from_slice(items),
            single => list.push(single.clone()),
        }
    }
    Value::Array(list)
}

/// What the node's expressions see as `base`. `nodes` holds what they read of its ancestors and nothing else:
/// ancestors are settled when the node starts, so what an expression sees never depends on which branch was
/// quicker.
pub(crate) fn base(plan: &Plan, run: &Run, values: &Values, node: usize) -> Value {
    let version = plan.version();
    let mut outputs = Map::new();
    for ancestor in &plan.nodes()[node].visible {
        let key = &plan.nodes()[*ancestor].key;
        if let Some(value) = values.outputs.get(key) {
            outputs.insert(key.as_str().to_owned(), Value::clone(value));
        }
    }
    json!({
        "time": run.created_on.to_rfc3339_opts(SecondsFormat::Millis, true),
        "params": *values.inputs,
        "nodes": outputs,
        "run": { "id": run.id },
        "workflow": { "id": version.workflow_id, "name": version.workflow_name, "version": version.number },
        "trigger": { "kind": run.trigger.kind, "by": run.trigger.by },
        "team": { "id": run.team_id },
        "end_user": null,
    })
}

/// Time and chance of a node's expressions: from the run's record, the same on every attempt and replay.
pub(crate) fn entropy(plan: &Plan, run: &Run, node: usize) -> Entropy {
    let key = &plan.nodes()[node].key;
    Entropy { now: run.created_on, seed: Sha256::digest(format!("{}{key}", run.id)).into() }
}
