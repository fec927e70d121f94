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

    /// Gives an edge another label, or none; where none is given, it stays.
    pub fn label_edge(&mut self, id: EdgeId, label: Option<Option<String>>) -> Result<PlacedEdge, EditError> {
        let placed = self.edges.iter_mut().find(|placed| placed.id == id).ok_or(StoreError::NotFound)?;
        placed.edge.label = label.unwrap_or_else(|| placed.edge.label.take());
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
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use domain::graph::MAX_NODES;
    use serde_json::{Value, from_value, json};
    use uuid::Uuid;

    use super::*;

    #[derive(Default)]
    struct Counted(AtomicU64);

    impl Ids for Counted {
        fn next(&self) -> Uuid {
            Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
        }
    }

    fn node(key: &str) -> Node {
        from_value(json!({"key": key, "node_type": "map"})).unwrap()
    }

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.into(), to: to.into(), label: None }
    }

    /// The nodes a, b and c, with edges from each to the next.
    fn chain(ids: &Counted) -> Pieces {
        let mut pieces = Pieces::default();
        for key in ["a", "b", "c"] {
            pieces.add_node(node(key), ids).unwrap();
        }
        pieces.add_edge(edge("a", "b"), ids).unwrap();
        pieces.add_edge(edge("b", "c"), ids).unwrap();
        pieces
    }

    fn refused<T: std::fmt::Debug>(result: Result<T, EditError>) -> Vec<(String, String)> {
        match result {
            Err(EditError::Refused(found)) => found.into_iter().map(|f| (f.code, f.pointer)).collect(),
            other => panic!("not refused: {other:?}"),
        }
    }

    fn one(code: &str, pointer: &str) -> Vec<(String, String)> {
        vec![(code.to_owned(), pointer.to_owned())]
    }

    #[test]
    fn wf_15_a_node_under_a_new_key_keeps_its_id_and_edges() {
        let ids = Counted::default();
        let mut pieces = chain(&ids);
        let (b, edges) = (pieces.nodes[1].id.unwrap(), pieces.edges.clone());
        pieces.change_node(b, |node| node.key = "renamed".into()).unwrap();
        assert_eq!((pieces.nodes[1].id, pieces.nodes[1].key.as_str()), (Some(b), "renamed"));
        let kept = |edge: Edge, placed: &PlacedEdge| PlacedEdge { id: placed.id, edge };
        assert_eq!(
            pieces.edges,
            [kept(edge("a", "renamed"), &edges[0]), kept(edge("renamed", "c"), &edges[1])]
        );
    }

    #[test]
    fn wf_15_a_node_goes_with_its_edges_and_an_edge_alone() {
        let ids = Counted::default();
        let mut pieces = chain(&ids);
        pieces.remove_edge(pieces.edges[0].id).unwrap();
        assert_eq!(pieces.graph().edges, [edge("b", "c")]);
        pieces.remove_node(pieces.nodes[2].id.unwrap()).unwrap();
        assert_eq!((pieces.nodes.len(), pieces.edges.len()), (2, 0));
    }

    #[test]
    fn wf_02_what_no_other_piece_can_mend_is_refused_at_its_field() {
        let ids = Counted::default();
        let (a, c) = (NodeId::new(Uuid::from_u128(0)), NodeId::new(Uuid::from_u128(2)));
        let add = |node: Value| refused(chain(&ids).add_node(from_value(node).unwrap(), &ids));
        assert_eq!(add(json!({"key": "a", "node_type": "map"})), one("duplicate_key", "/key"));
        assert_eq!(
            add(json!({"key": "A!", "node_type": "teleport"})),
            [one("wrong_key", "/key"), one("unknown_type", "/node_type")].concat()
        );
        let start = || chain(&Counted::default());
        let rename = |id| refused(start().change_node(id, |node| node.key = "b".into()));
        assert_eq!((rename(a), rename(c)), (one("duplicate_key", "/key"), one("duplicate_key", "/key")));
        let connect = |from: &str, to: &str| refused(start().add_edge(edge(from, to), &ids));
        assert_eq!(connect("a", "b"), one("duplicate_edge", ""));
        assert_eq!(connect("x", "y"), [one("unknown_node", "/from"), one("unknown_node", "/to")].concat());
        assert_eq!(connect("c", "a"), one("cycle", ""));
        assert!(connect("a", "a").contains(&one("self_edge", "")[0]));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let ids = Counted::default();
        let (node, edge) = (NodeId::new(Uuid::max()), EdgeId::new(Uuid::max()));
        let mut pieces = chain(&ids);
        for result in [
            pieces.change_node(node, |_| ()),
            pieces.remove_node(node),
            pieces.remove_edge(edge),
            pieces.label_edge(edge, None).map(drop),
        ] {
            assert!(matches!(result, Err(EditError::Store(StoreError::NotFound))), "{result:?}");
        }
    }

    #[test]
    fn a_label_that_makes_an_edge_another_one_is_refused() {
        let ids = Counted::default();
        let mut pieces = chain(&ids);
        let labelled = Edge { label: Some("true".to_owned()), ..edge("a", "b") };
        let placed = pieces.add_edge(labelled, &ids).unwrap();
        let first = pieces.edges[0].id;
        assert_eq!(
            refused(pieces.clone().label_edge(first, Some(Some("true".to_owned())))),
            one("duplicate_edge", "")
        );
        assert_eq!(refused(pieces.clone().label_edge(placed.id, Some(None))), one("duplicate_edge", ""));
        assert_eq!(pieces.label_edge(first, Some(Some("false".to_owned()))).unwrap().id, first);
    }

    #[test]
    fn a_draft_is_bounded() {
        let ids = Counted::default();
        let mut pieces = Pieces::default();
        pieces.nodes = (0..MAX_NODES).map(|i| node(&format!("n{i}"))).collect();
        assert_eq!(refused(pieces.clone().add_node(node("more"), &ids))[0].0, "too_many_nodes");
        let many = |i: usize| PlacedEdge {
            id: EdgeId::new(ids.next()),
            edge: Edge { label: Some(i.to_string()), ..edge("n0", "n1") },
        };
        pieces.edges = (0..MAX_EDGES).map(many).collect();
        assert_eq!(refused(pieces.add_edge(edge("n0", "n1"), &ids)), one("too_many_edges", ""));
    }

    #[test]
    fn a_mistake_of_an_older_piece_stands_in_nobodys_way() {
        let ids = Counted::default();
        let mut pieces = chain(&ids);
        pieces.nodes[0].node_type = "of_an_older_release".to_owned();
        pieces.add_node(node("d"), &ids).unwrap();
        pieces.add_edge(edge("c", "d"), &ids).unwrap();
    }
}
