//! Drafts piece by piece (WF-15): one node or edge at a time, while the whole may still be wrong.
//!
//! What could be part of no good draft is refused at once, in the words of `engine::validate`: a key that is none or is taken, an unknown
//! type, an edge from or to nowhere, to itself, twice, or around in a circle, and too much of all that. Whatever other pieces may still mend
//! is for the validation of the whole.

use domain::{Edge, EdgeId, Graph, Node, NodeId, NodeKey, OnError, graph::MAX_EDGES};
use engine::{Severity, Violation};
use serde::Serialize;
use serde_json::Map;

use crate::ports::{Ids, StoreError};

/// The draft's graph with an id for every piece.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pieces {
    /// In the author's order; each has its id.
    pub nodes: Vec<Node>,
    /// In the author's order.
    pub edges: Vec<PlacedEdge>,
}

/// An edge that can be named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlacedEdge {
    /// Stable over edits of all else.
    pub id: EdgeId,
    /// What it connects.
    #[serde(flatten)]
    pub edge: Edge,
}

/// Why a piece was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It would be part of no good draft. Pointers lead into the piece.
    #[error("the piece is wrong")]
    Refused(Vec<Violation>),
    /// There is no such piece, or the store has a reason of its own.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What no other piece can mend.
const OF_STRUCTURE: [&str; 6] =
    ["duplicate_key", "duplicate_edge", "unknown_node", "self_edge", "cycle", "too_many_nodes"];

/// What no other piece can mend either, and may be found at older pieces, since rules change.
const OF_NODE: [&str; 2] = ["wrong_key", "unknown_type"];

impl Pieces {
    /// The graph as its author sees it.
    pub fn graph(&self) -> Graph {
        Graph {
            nodes: self.nodes.clone(),
            edges: self.edges.iter().map(|placed| placed.edge.clone()).collect(),
        }
    }

    /// Adds a node at the end, under an id of its own.
    pub fn add_node(&mut self, node: Node, ids: &dyn Ids) -> Result<NodeId, EditError> {
        let (id, key) = (NodeId::new(ids.next()), node.key.clone());
        self.nodes.push(Node { id: Some(id), ..node });
        self.refuse_node(&key).map(|()| id)
    }

    /// Changes a node. Under a new key it keeps its edges; expressions that name it are their author's to change.
    pub fn change_node(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) -> Result<(), EditError> {
        let node = self.nodes.iter_mut().find(|node| node.id == Some(id)).ok_or(StoreError::NotFound)?;
        let before = node.key.clone();
        change(node);
        node.id = Some(id);
        let after = node.key.clone();
        for end in self.edges.iter_mut().flat_map(|placed| [&mut placed.edge.from, &mut placed.edge.to]) {
            if *end == before {
                end.clone_from(&after);
            }
        }
        self.refuse_node(&after)
    }

    /// Takes a node out, with its edges.
    pub fn remove_node(&mut self, id: NodeId) -> Result<(), EditError> {
        let place = self.nodes.iter().position(|node| node.id == Some(id)).ok_or(StoreError::NotFound)?;
        let key = self.nodes.remove(place).key;
        self.edges.retain(|placed| placed.edge.from != key && placed.edge.to != key);
        Ok(())
    }

    /// Adds an edge at the end, under an id of its own.
    pub fn add_edge(&mut self, edge: Edge, ids: &dyn Ids) -> Result<PlacedEdge, EditError> {
        if self.edges.len() >= MAX_EDGES {
            return Err(EditError::Refused(vec![too_many_edges()]));
        }
        let placed = PlacedEdge { id: EdgeId::new(ids.next()), edge };
        self.edges.push(placed.clone());
        self.refuse_edges().map(|()| placed)
    }

    /// Changes an edge's label.
    pub fn label_edge(
        &mut self,
        id: EdgeId,
        change: impl FnOnce(&mut Option<String>),
    ) -> Result<PlacedEdge, EditError> {
        let placed = self.edges.iter_mut().find(|placed| placed.id == id).ok_or(StoreError::NotFound)?;
        change(&mut placed.edge.label);
        let placed = placed.clone();
        self.refuse_edges().map(|()| placed)
    }

    /// Takes an edge out.
    pub fn remove_edge(&mut self, id: EdgeId) -> Result<(), EditError> {
        let place = self.edges.iter().position(|placed| placed.id == id).ok_or(StoreError::NotFound)?;
        self.edges.remove(place);
        Ok(())
    }

    /// Refuses what is wrong with the node that has this key. Edges have no part in it: they follow their nodes.
    fn refuse_node(&self, key: &NodeKey) -> Result<(), EditError> {
        let graph = Graph { nodes: self.bare_nodes(), edges: Vec::new() };
        refuse(&graph, |found| OF_NODE.contains(&found.code.as_str()) && found.node.as_ref() == Some(key))
    }

    /// Refuses what the last change of an edge did wrong.
    fn refuse_edges(&self) -> Result<(), EditError> {
        let edges = self.edges.iter().map(|placed| placed.edge.clone()).collect();
        refuse(&Graph { nodes: self.bare_nodes(), edges }, |_| false)
    }

    /// Keys and types: what the rules above are about, without all that takes its time.
    fn bare_nodes(&self) -> Vec<Node> {
        let bare = |node: &Node| Node {
            id: None,
            key: node.key.clone(),
            name: String::new(),
            node_type: node.node_type.clone(),
            metadata: Map::new(),
            structured_output: None,
            retry: None,
            timeout_s: None,
            on_error: OnError::Fail,
            position: None,
        };
        self.nodes.iter().map(bare).collect()
    }
}

/// Nothing of the structure was wrong before the last change, so that all that is wrong now came with it.
fn refuse(graph: &Graph, concerns: impl Fn(&Violation) -> bool) -> Result<(), EditError> {
    let is_refused = |found: &Violation| OF_STRUCTURE.contains(&found.code.as_str()) || concerns(found);
    let wrong: Vec<_> = engine::validate(graph).into_iter().filter(is_refused).map(into_piece).collect();
    if wrong.is_empty() { Ok(()) } else { Err(EditError::Refused(wrong)) }
}

/// A violation with its pointer into the piece: `/nodes/3/key` is `/key` there.
fn into_piece(found: Violation) -> Violation {
    let pointer = found.pointer.splitn(4, '/').nth(3).map_or_else(String::new, |below| format!("/{below}"));
    let pointer = if found.code == "cycle" { String::new() } else { pointer };
    Violation { pointer, ..found }
}

fn too_many_edges() -> Violation {
    Violation {
        severity: Severity::Error,
        node: None,
        pointer: String::new(),
        code: "too_many_edges".to_owned(),
        message: format!("the graph has {MAX_EDGES} edges already, which is the most"),
        offset: None,
    }
}

#[cfg(test)]
mod tests;
