//! Rules between nodes (WF-02, WF-09): which edges there may be, how many may meet, their labels, cycles, reachability.

use std::collections::HashSet;

use domain::{Edge, Graph, OnError};

use super::{CheckedNode, Violation};
use crate::{
    nodes::{ERROR, Labels},
    topology::Topology,
};

pub(super) fn check(graph: &Graph, topology: &Topology<'_>, nodes: &[CheckedNode], out: &mut Vec<Violation>) {
    let mut seen = HashSet::new();
    let mut usable = Vec::with_capacity(graph.edges.len());
    for (place, edge) in graph.edges.iter().enumerate() {
        let mut found = check_ends(edge, place, topology);
        if !seen.insert(edge) {
            found.push(Violation::error(
                format!("/edges/{place}"),
                "duplicate_edge",
                format!("{} is there twice", name(edge)),
            ));
        }
        let wrong_label =
            topology.ends(place).and_then(|(from, _)| check_label(graph, edge, place, from, &nodes[from]));
        usable.push(wrong_label.is_none() && found.is_empty());
        found.extend(wrong_label);
        out.append(&mut found);
    }
    for (i, read) in nodes.iter().enumerate() {
        check_arity(graph, topology, i, read, out);
    }
    let cycles = topology.cycles();
    if cycles.is_empty() {
        check_reachable(graph, topology, &usable, out);
    }
    out.extend(cycles.iter().map(|cycle| cycle_violation(graph, topology, cycle)));
}

fn name(edge: &Edge) -> String {
    format!("`{} -> {}`", edge.from, edge.to)
}

fn check_ends(edge: &Edge, place: usize, topology: &Topology<'_>) -> Vec<Violation> {
    let pointer = format!("/edges/{place}");
    let unknown =
        [("from", &edge.from), ("to", &edge.to)].into_iter().filter(|(_, key)| topology.find(key).is_none());
    let mut found: Vec<_> = unknown
        .map(|(end, key)| {
            Violation::error(format!("{pointer}/{end}"), "unknown_node", format!("there is no node `{key}`"))
        })
        .collect();
    if edge.from == edge.to {
        found.push(
            Violation::error(pointer, "self_edge", format!("{} leads from a node to itself", name(edge)))
                .at(&edge.from),
        );
    }
    found
}

fn check_label(
    graph: &Graph,
    edge: &Edge,
    place: usize,
    from: usize,
    read: &CheckedNode,
) -> Option<Violation> {
    let parent = &graph.nodes[from];
    let labels = read.node_type?.labels(&parent.metadata);
    let refuse = |code, message| {
        Some(Violation::error(format!("/edges/{place}/label"), code, message).at(&parent.key))
    };
    match (edge.label.as_deref(), labels) {
        (Some(ERROR), _) if parent.on_error == OnError::Branch => None,
        (Some(ERROR), _) => {
            refuse("unknown_label", format!("the label `error` needs `on_error: branch` at `{}`", parent.key))
        }
        (None, Labels::Choice(known)) => refuse(
            "missing_label",
            format!(
                "{} needs a label, since `{}` chooses one of {}",
                name(edge),
                parent.key,
                known.join(", ")
            ),
        ),
        (Some(label), Labels::Choice(known) | Labels::Parts(known))
            if !known.iter().any(|known| known == label) =>
        {
            refuse(
                "unknown_label",
                format!("`{}` has no label `{label}`; it has {}", parent.key, known.join(", ")),
            )
        }
        (Some(label), Labels::None) => {
            refuse("unknown_label", format!("a `{}` has no labels, so none is `{label}`", parent.node_type))
        }
        _ => None,
    }
}

fn check_arity(
    graph: &Graph,
    topology: &Topology<'_>,
    i: usize,
    read: &CheckedNode,
    out: &mut Vec<Violation>,
) {
    let Some(node_type) = read.node_type else { return };
    let (node, arity) = (&graph.nodes[i], node_type.arity());
    if !arity.joins && topology.incoming(i).len() > 1 {
        let parents: Vec<_> =
            topology.incoming(i).iter().map(|edge| graph.edges[*edge].from.as_str()).collect();
        let message = format!(
            "{} edges lead to `{}` (from {}); only a `merge` joins",
            parents.len(),
            node.key,
            parents.join(", ")
        );
        out.push(Violation::error(format!("/nodes/{i}"), "several_parents", message).at(&node.key));
    }
    if !arity.continues && !topology.outgoing(i).is_empty() {
        let message = format!(
            "no edge may lead away from `{}`, since a `{}` ends its branch",
            node.key, node.node_type
        );
        out.push(Violation::error(format!("/nodes/{i}"), "children_of_return", message).at(&node.key));
    }
}

fn cycle_violation(graph: &Graph, topology: &Topology<'_>, cycle: &[usize]) -> Violation {
    let keys =
        cycle.iter().chain(cycle.first()).map(|node| graph.nodes[*node].key.as_str()).collect::<Vec<_>>();
    let closes = cycle.first().zip(cycle.last()).and_then(|(first, last)| {
        topology.outgoing(*last).iter().find(|edge| topology.ends(**edge).is_some_and(|(_, to)| to == *first))
    });
    let pointer = closes.map_or_else(|| "/edges".to_owned(), |edge| format!("/edges/{edge}"));
    Violation::error(pointer, "cycle", format!("the edges go in a circle: {}", keys.join(" -> ")))
        .at(&graph.nodes[cycle[0]].key)
}

/// Warns of nodes to which only edges lead that are never live.
fn check_reachable(graph: &Graph, topology: &Topology<'_>, usable: &[bool], out: &mut Vec<Violation>) {
    let mut reached = vec![false; graph.nodes.len()];
    for node in topology.order() {
        let mut incoming = topology.incoming(node).iter().filter(|edge| usable[**edge]);
        reached[node] = topology.incoming(node).is_empty()
            || incoming.any(|edge| topology.ends(*edge).is_some_and(|(from, _)| reached[from]));
    }
    for (i, node) in graph.nodes.iter().enumerate().filter(|(i, _)| !reached[*i]) {
        let message = format!("no edge that leads to `{}` is ever live", node.key);
        out.push(Violation::warning(format!("/nodes/{i}"), "unreachable", message).at(&node.key));
    }
}
