//! The bare graph: numbers for keys, an order of execution, cycles. Copes with any document.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use domain::{Graph, NodeKey};

/// A graph by the places of its nodes in the document. Edges that name no node or lead from a node to itself
/// are left out; of nodes with the same key, edges know the first.
#[derive(Debug)]
pub(crate) struct Topology<'g> {
    index: HashMap<&'g NodeKey, usize>,
    /// Places of the edges that are left in, by the node they lead to.
    incoming: Vec<Vec<usize>>,
    /// Places of the edges that are left in, by the node they lead from.
    outgoing: Vec<Vec<usize>>,
    /// Both ends of each edge of the document that is left in.
    ends: Vec<Option<(usize, usize)>>,
}

impl<'g> Topology<'g> {
    pub(crate) fn of(graph: &'g Graph) -> Self {
        let mut index = HashMap::with_capacity(graph.nodes.len());
        for (i, node) in graph.nodes.iter().enumerate() {
            index.entry(&node.key).or_insert(i);
        }
        let mut topology = Self {
            index,
            incoming: vec![Vec::new(); graph.nodes.len()],
            outgoing: vec![Vec::new(); graph.nodes.len()],
            ends: Vec::with_capacity(graph.edges.len()),
        };
        for (place, edge) in graph.edges.iter().enumerate() {
            let ends = topology.find(&edge.from).zip(topology.find(&edge.to)).filter(|(from, to)| from != to);
            if let Some((from, to)) = ends {
                topology.outgoing[from].push(place);
                topology.incoming[to].push(place);
            }
            topology.ends.push(ends);
        }
        topology
    }

    /// The place of the node with that key.
    pub(crate) fn find(&self, key: &NodeKey) -> Option<usize> {
        self.index.get(key).copied()
    }

    /// Places of the edges that lead to a node, in the document's order.
    pub(crate) fn incoming(&self, node: usize) -> &[usize] {
        &self.incoming[node]
    }

    /// Places of the edges that lead away from a node, in the document's order.
    pub(crate) fn outgoing(&self, node: usize) -> &[usize] {
        &self.outgoing[node]
    }

    /// The nodes at both ends of an edge.
    pub(crate) fn ends(&self, edge: usize) -> Option<(usize, usize)> {
        self.ends[edge]
    }

    fn parents(&self, node: usize) -> impl Iterator<Item = usize> {
        self.incoming[node].iter().filter_map(|edge| self.ends[*edge]).map(|(from, _)| from)
    }

    fn children(&self, node: usize) -> impl Iterator<Item = usize> {
        self.outgoing[node].iter().filter_map(|edge| self.ends[*edge]).map(|(_, to)| to)
    }

    /// Parents before children, and the order of the document where that leaves a choice. Nodes on cycles and
    /// behind them are left out.
    pub(crate) fn order(&self) -> Vec<usize> {
        self.order_without(&vec![false; self.incoming.len()])
    }

    fn order_without(&self, removed: &[bool]) -> Vec<usize> {
        let mut waits_for: Vec<_> = (0..removed.len())
            .map(|node| self.parents(node).filter(|parent| !removed[*parent]).count())
            .collect();
        let mut free: BinaryHeap<_> =
            (0..removed.len()).filter(|node| !removed[*node] && waits_for[*node] == 0).map(Reverse).collect();
        let mut order = Vec::with_capacity(removed.len());
        while let Some(Reverse(node)) = free.pop() {
            order.push(node);
            for child in self.children(node).filter(|child| !removed[*child]) {
                waits_for[child] -= 1;
                if waits_for[child] == 0 {
                    free.push(Reverse(child));
                }
            }
        }
        order
    }

    /// Cycles without a common node, each in the direction of its edges from its first node in the document:
    /// taking them out leaves no cycle.
    pub(crate) fn cycles(&self) -> Vec<Vec<usize>> {
        let mut removed = vec![false; self.incoming.len()];
        let mut cycles = Vec::new();
        loop {
            let mut is_left: Vec<_> = removed.iter().map(|removed| !removed).collect();
            for node in self.order_without(&removed) {
                is_left[node] = false;
            }
            let Some(start) = is_left.iter().position(|left| *left) else { return cycles };
            let cycle = self.cycle_above(start, &is_left);
            for node in &cycle {
                removed[*node] = true;
            }
            cycles.push(cycle);
        }
    }

    /// Every node that is left has a parent that is left, so going up comes back to where it was.
    fn cycle_above(&self, start: usize, is_left: &[bool]) -> Vec<usize> {
        let mut path = vec![start];
        loop {
            let here = path[path.len() - 1];
            let Some(parent) = self.parents(here).find(|parent| is_left[*parent]) else { return path };
            if let Some(first) = path.iter().position(|node| *node == parent) {
                let mut cycle = path.split_off(first);
                cycle.reverse();
                let earliest = cycle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(i, _)| i);
                cycle.rotate_left(earliest);
                return cycle;
            }
            path.push(parent);
        }
    }

    /// Which nodes can be reached against the direction of the edges, itself not counted unless it is on a
    /// cycle.
    pub(crate) fn ancestors(&self, node: usize) -> Vec<bool> {
        let mut seen = vec![false; self.incoming.len()];
        let mut open = vec![node];
        while let Some(next) = open.pop() {
            for parent in self.parents(next) {
                if !std::mem::replace(&mut seen[parent], true) {
                    open.push(parent);
                }
            }
        }
        seen
    }
}
