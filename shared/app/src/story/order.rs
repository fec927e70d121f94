//! What a story takes from the graph: the order in which the events of one commit are told, and which nodes wait.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
};

use domain::{Graph, NodeKey};

/// Parents before their children; the order of the document where that leaves a choice. What the graph does not know comes last.
#[derive(Debug, Clone, Default)]
pub struct Order {
    places: HashMap<NodeKey, usize>,
    /// Nodes that nobody works on while they run: they wait for a time, for people or for other runs.
    waiting: HashSet<NodeKey>,
}

impl Order {
    /// The order of this graph's nodes.
    pub fn of(graph: &Graph) -> Self {
        let places: HashMap<&NodeKey, usize> =
            graph.nodes.iter().enumerate().map(|(place, node)| (&node.key, place)).collect();
        let mut waits_for = vec![0_usize; graph.nodes.len()];
        let mut children = vec![Vec::new(); graph.nodes.len()];
        for edge in &graph.edges {
            if let (Some(from), Some(to)) = (places.get(&edge.from), places.get(&edge.to)) {
                waits_for[*to] += 1;
                children[*from].push(*to);
            }
        }
        let mut free: BinaryHeap<_> =
            (0..waits_for.len()).filter(|node| waits_for[*node] == 0).map(Reverse).collect();
        let mut order = HashMap::with_capacity(waits_for.len());
        while let Some(Reverse(node)) = free.pop() {
            order.insert(graph.nodes[node].key.clone(), order.len());
            for child in &children[node] {
                waits_for[*child] -= 1;
                if waits_for[*child] == 0 {
                    free.push(Reverse(*child));
                }
            }
        }
        let waits = |node_type: &str| engine::nodes::find(node_type).is_some_and(|t| t.control().is_some());
        let waiting = graph.nodes.iter().filter(|node| waits(&node.node_type)).map(|node| node.key.clone());
        Self { places: order, waiting: waiting.collect() }
    }

    /// The node's place.
    pub(super) fn place(&self, node: &NodeKey) -> usize {
        self.places.get(node).copied().unwrap_or(usize::MAX)
    }

    /// Whether the node waits.
    pub(super) fn waits(&self, node: &NodeKey) -> bool {
        self.waiting.contains(node)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn parents_come_first_then_the_document_decides_strangers_are_last_and_an_approval_waits() {
        let node = |key| json!({"key": key, "node_type": "return"});
        let mut nodes: Vec<Value> = ["d", "c", "b", "a"].map(node).into();
        nodes[1]["node_type"] = json!("approval");
        let edges = [("a", "b"), ("b", "d"), ("gone", "c")].map(|(from, to)| json!({"from": from, "to": to}));
        let graph = serde_json::from_value(json!({"nodes": nodes, "edges": edges})).unwrap();
        let order = Order::of(&graph);
        let places = ["c", "a", "b", "d", "gone"].map(|key| order.place(&key.into()));
        assert_eq!(places, [0, 1, 2, 3, usize::MAX]);
        assert_eq!(["a", "c", "gone"].map(|key| order.waits(&key.into())), [false, true, false]);
    }
}
