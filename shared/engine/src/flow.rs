//! What flows along edges: which are live, what a node gets as `input`, what its expressions see as `base`.

use std::borrow::Cow;

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    NodeState, Plan, Run, Values,
    expr::Entropy,
    nodes::{Context, ERROR, Labels, Mode},
    plan::Link,
};

static NULL: Value = Value::Null;

/// What an edge, seen from its child, says once its parent is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The child gets what the edge carries.
    Live,
    /// The parent chose another way, or none leads to it.
    Dead,
    /// The parent never came to an output, so that what depends on it can't start.
    Broken,
}

/// What an edge says; None while its parent is not settled.
///
/// It is live when its parent succeeded and chose its label (or it has none), or when it is the `error` edge
/// of a parent that failed.
pub(crate) fn flow(plan: &Plan, run: &Run, (parent, edge): (usize, &Link)) -> Option<Flow> {
    let label = edge.label.as_deref();
    let live = |is_live| Some(if is_live { Flow::Live } else { Flow::Dead });
    match run.nodes.get(plan.key(parent))? {
        NodeState::Ready { .. } | NodeState::Running { .. } | NodeState::Waiting { .. } => None,
        NodeState::Skipped { .. } => Some(Flow::Dead),
        NodeState::Cancelled { .. } | NodeState::Failed { handled: false, .. } => Some(Flow::Broken),
        NodeState::Failed { handled: true, .. } => live(label == Some(ERROR)),
        NodeState::Succeeded { label: chosen, .. } => live(match (label, &plan.at(parent).labels) {
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
    /// It depends on a node that failed.
    Broken,
}

pub(crate) fn readiness(plan: &Plan, run: &Run, node: usize) -> Readiness {
    let mut readiness = if plan.at(node).incoming.is_empty() { Readiness::Ready } else { Readiness::Dead };
    for link in plan.incoming(node) {
        match (flow(plan, run, link), readiness) {
            (None, _) => return Readiness::Blocked,
            (Some(Flow::Broken), _) => readiness = Readiness::Broken,
            (Some(Flow::Live), Readiness::Dead) => readiness = Readiness::Ready,
            (Some(_), _) => {}
        }
    }
    readiness
}

/// What the node sees as `input`: in a chunk, a root sees its item.
pub(crate) fn input<'a>(plan: &'a Plan, run: &Run, values: &'a Values, i: usize) -> Cow<'a, Value> {
    let node = plan.at(i);
    if node.incoming.is_empty() {
        return Cow::Borrowed(item(plan, values, i).map_or(&values.inputs, |(item, _)| item));
    }
    let mut live = plan.incoming(i).filter(|link| flow(plan, run, *link) == Some(Flow::Live));
    match node.joins {
        Some(Mode::Object) => Cow::Owned(by_parent(plan, values, &live.collect::<Vec<_>>())),
        Some(Mode::Append) => Cow::Owned(appended(live.map(|link| carried(plan, values, link)))),
        Some(Mode::Any) => Cow::Borrowed(
            live.min_by_key(|(parent, _)| *parent).map_or(&NULL, |link| carried(plan, values, link)),
        ),
        None => Cow::Borrowed(live.next().map_or(&NULL, |link| carried(plan, values, link))),
    }
}

/// The item that a node of a chunk works on, with its place among all items.
pub(crate) fn item<'a>(plan: &Plan, values: &'a Values, i: usize) -> Option<(&'a Value, usize)> {
    let (number, first) = (plan.item(i)?, plan.items()?.chunk.first);
    let item = values.inputs.get(ITEMS).and_then(|items| items.get((number - first) as usize));
    Some((item.unwrap_or(&NULL), number as usize))
}

/// What a live edge hands on: a part if it has the label of one, else all that its parent gave.
fn carried<'a>(plan: &Plan, values: &'a Values, (parent, edge): (usize, &Link)) -> &'a Value {
    let value = values.outputs.get(plan.key(parent)).map_or(&NULL, |value| &**value);
    match (&plan.at(parent).labels, edge.label.as_deref()) {
        (Labels::Parts(_), Some(label)) if label != ERROR => value.get(label).unwrap_or(&NULL),
        _ => value,
    }
}

fn by_parent(plan: &Plan, values: &Values, live: &[(usize, &Link)]) -> Value {
    let mut object = Map::new();
    for link in live {
        let from_same = || live.iter().filter(|(parent, _)| *parent == link.0);
        let key = plan.at(link.0).document.key.as_str();
        if from_same().count() == 1 {
            object.insert(key.to_owned(), carried(plan, values, *link).clone());
        } else if !object.contains_key(key) {
            let parts = from_same()
                .map(|part| (part.1.label.clone().unwrap_or_default(), carried(plan, values, *part).clone()));
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

/// The inputs of a chunk: its items, and the `base` that is around its `for_each`.
pub(crate) fn chunk_inputs(items: &[Value], base: &Value) -> Value {
    json!({ ITEMS: items, BASE: base })
}

/// Whether two chunks have the same items and the same results around them. That they are parts of different runs, begun at different
/// times, is no difference in what they were given to do.
pub(crate) fn is_same_work(one: &Value, other: &Value) -> bool {
    let nodes = |inputs: &Value| inputs.get(BASE).and_then(|base| base.get("nodes")).cloned();
    one.get(ITEMS) == other.get(ITEMS) && nodes(one) == nodes(other)
}

const ITEMS: &str = "items";
const BASE: &str = "base";

/// What the node's expressions see as `base`. `nodes` holds what they read of its ancestors and nothing else:
/// ancestors are settled when the node starts, so what an expression sees never depends on which branch was
/// quicker. In a chunk, that is added to what is around the `for_each`.
pub(crate) fn base(plan: &Plan, run: &Run, values: &Values, i: usize) -> Value {
    let offset = plan.offset(i);
    let outputs = plan.at(i).visible.iter().filter_map(|ancestor| {
        let value = values.outputs.get(plan.key(offset + ancestor))?;
        Some((plan.at(*ancestor).document.key.as_str().to_owned(), Value::clone(value)))
    });
    if plan.is_chunk() {
        let mut base = values.inputs.get(BASE).cloned().unwrap_or_default();
        if let Some(nodes) = base.get_mut("nodes").and_then(Value::as_object_mut) {
            nodes.extend(outputs);
        }
        return base;
    }
    let version = plan.version();
    json!({
        "time": run.created_on.to_rfc3339_opts(SecondsFormat::Millis, true),
        "params": *values.inputs,
        "nodes": outputs.collect::<Map<_, _>>(),
        "run": { "id": run.id },
        "workflow": { "id": version.workflow_id, "name": version.workflow_name, "version": version.number },
        "trigger": { "kind": run.trigger.kind, "by": run.trigger.by },
        "team": { "id": run.team_id },
        "end_user": null,
    })
}

/// Time and chance of a node's expressions: from the run's record, the same on every attempt and replay.
pub(crate) fn entropy(plan: &Plan, run: &Run, i: usize) -> Entropy {
    Entropy { now: run.time(), seed: Sha256::digest(format!("{}{}", run.id, plan.key(i))).into() }
}

/// Hands what a node is evaluated with to `work`.
pub(crate) fn with_context<T>(
    plan: &Plan,
    run: &Run,
    values: &Values,
    i: usize,
    work: impl FnOnce(&Context<'_>) -> T,
) -> T {
    let input = input(plan, run, values, i);
    let make_base = || base(plan, run, values, i);
    let context = Context::new(&input, &make_base, entropy(plan, run, i));
    work(&context.with_item(item(plan, values, i)))
}
