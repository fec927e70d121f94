//! How much an edit changed, for the logs: counts, and nothing of what authors write.

use std::{collections::HashMap, hash::Hash};

use app::Pieces;
use serde::Serialize;

/// What an edit did to a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) nodes: Counts,
    pub(crate) edges: Counts,
}

/// What an edit did to pieces of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    added: usize,
    changed: usize,
    removed: usize,
}

impl Changes {
    /// Pieces are the same by their ids, wherever they stand in the author's list. An edge between nodes with new keys is the same.
    pub(crate) fn between(before: &Pieces, after: &Pieces) -> Self {
        let nodes = Counts::between(
            before.nodes.iter().map(|node| (node.id, node)),
            after.nodes.iter().map(|node| (node.id, node)),
        );
        let edges = Counts::between(
            before.edges.iter().map(|placed| (placed.id, &placed.edge.label)),
            after.edges.iter().map(|placed| (placed.id, &placed.edge.label)),
        );
        Self { nodes, edges }
    }
}

impl Counts {
    fn between<I: Eq + Hash, T: PartialEq>(
        before: impl Iterator<Item = (I, T)>,
        after: impl Iterator<Item = (I, T)>,
    ) -> Self {
        let mut before: HashMap<I, T> = before.collect();
        let (mut added, mut changed) = (0, 0);
        for (id, piece) in after {
            match before.remove(&id) {
                None => added += 1,
                Some(earlier) => changed += usize::from(earlier != piece),
            }
        }
        Self { added, changed, removed: before.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_counted_by_their_ids() {
        let counts = Counts::between(
            [(1, "a"), (2, "b"), (3, "c")].into_iter(),
            [(3, "c"), (2, "x"), (4, "d"), (5, "e")].into_iter(),
        );
        assert_eq!(counts, Counts { added: 2, changed: 1, removed: 1 });
    }
}
