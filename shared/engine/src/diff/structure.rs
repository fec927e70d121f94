//! Nodes and edges that are different.

use std::collections::{HashMap, HashSet};

use domain::{Edge, Graph, Node, NodeId, NodeKey};
use serde_json::Value;

use super::{EdgeChanges, NodeChange, NodeChanges, Relabelled, changes};

/// A node that is in both graphs, by its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) before: usize,
    pub(super) after: usize,
}

/// The nodes that are in both, in the order of the later graph: those with the same id, then those with the same key that no id tells
/// apart.
pub(super) fn pairs(before: &Graph, after: &Graph) -> Vec<Pair> {
    let by_id: HashMap<NodeId, usize> =
        before.nodes.iter().enumerate().filter_map(|(i, node)| Some((node.id?, i))).collect();
    let by_key: HashMap<&NodeKey, usize> =
        before.nodes.iter().enumerate().map(|(i, node)| (&node.key, i)).collect();
    let mut taken = HashSet::new();
    let mut found: Vec<Option<usize>> = vec![None; after.nodes.len()];
    for (slot, node) in found.iter_mut().zip(&after.nodes) {
        *slot = node.id.and_then(|id| by_id.get(&id).copied()).filter(|place| taken.insert(*place));
    }
    for (slot, node) in found.iter_mut().zip(&after.nodes).filter(|(slot, _)| slot.is_none()) {
        *slot = by_key.get(&node.key).copied().filter(|place| taken.insert(*place));
    }
    let pair = |(after, before): (usize, Option<usize>)| before.map(|before| Pair { before, after });
    found.into_iter().enumerate().filter_map(pair).collect()
}

pub(super) fn nodes(before: &Graph, after: &Graph, pairs: &[Pair]) -> NodeChanges {
    let old: HashSet<usize> = pairs.iter().map(|pair| pair.before).collect();
    let new: HashSet<usize> = pairs.iter().map(|pair| pair.after).collect();
    let changed = pairs.iter().filter_map(|pair| node(&before.nodes[pair.before], &after.nodes[pair.after]));
    NodeChanges {
        added: outside(&after.nodes, &new),
        removed: outside(&before.nodes, &old),
        changed: changed.collect(),
    }
}

fn outside(nodes: &[Node], places: &HashSet<usize>) -> Vec<Node> {
    let others = nodes.iter().enumerate().filter(|(place, _)| !places.contains(place));
    others.map(|(_, node)| node.clone()).collect()
}

/// Ids are no part of what a node does.
fn node(before: &Node, after: &Node) -> Option<NodeChange> {
    let fields = changes(&without_names(before), &without_names(after));
    let renamed_from = (before.key != after.key).then(|| before.key.clone());
    if fields.is_empty() && renamed_from.is_none() {
        return None;
    }
    Some(NodeChange { id: after.id, key: after.key.clone(), renamed_from, fields })
}

fn without_names(node: &Node) -> Value {
    let mut json = serde_json::to_value(node).unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        fields.remove("id");
        fields.remove("key");
    }
    json
}

pub(super) fn edges(before: &Graph, after: &Graph, pairs: &[Pair]) -> EdgeChanges {
    let key_now: HashMap<&NodeKey, &NodeKey> =
        pairs.iter().map(|pair| (&before.nodes[pair.before].key, &after.nodes[pair.after].key)).collect();
    let now = |key: &NodeKey| key_now.get(key).copied().cloned();
    // An edge of a node that is gone is gone, whatever node has its key now.
    let as_now = |edge: &Edge| Some((now(&edge.from)?, now(&edge.to)?, edge.label.clone()));
    let here: HashSet<(NodeKey, NodeKey, Option<String>)> =
        after.edges.iter().map(|edge| (edge.from.clone(), edge.to.clone(), edge.label.clone())).collect();
    let there: HashSet<_> = before.edges.iter().filter_map(as_now).collect();
    let mut added: Vec<Edge> =
        after.edges.iter().filter(|edge| !there.contains(&ends(edge))).cloned().collect();
    let (mut removed, mut relabelled) = (Vec::new(), Vec::new());
    for edge in &before.edges {
        let moved = as_now(edge);
        if moved.as_ref().is_some_and(|moved| here.contains(moved)) {
            continue;
        }
        let same_ends =
            |new: &Edge| moved.as_ref().is_some_and(|(from, to, _)| (&new.from, &new.to) == (from, to));
        match added.iter().position(same_ends) {
            Some(place) => {
                let Edge { from, to, label } = added.remove(place);
                relabelled.push(Relabelled { from, to, before: edge.label.clone(), after: label });
            }
            None => removed.push(edge.clone()),
        }
    }
    EdgeChanges { added, removed, relabelled }
}

fn ends(edge: &Edge) -> (NodeKey, NodeKey, Option<String>) {
    (edge.from.clone(), edge.to.clone(), edge.label.clone())
}
