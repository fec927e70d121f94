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
    assert_eq!(pieces.edges, [kept(edge("a", "renamed"), &edges[0]), kept(edge("renamed", "c"), &edges[1])]);
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
        pieces.label_edge(edge, |_| {}).map(drop),
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
        refused(pieces.clone().label_edge(first, |label| *label = Some("true".to_owned()))),
        one("duplicate_edge", "")
    );
    assert_eq!(
        refused(pieces.clone().label_edge(placed.id, |label| *label = None)),
        one("duplicate_edge", "")
    );
    assert_eq!(pieces.label_edge(first, |label| *label = Some("false".to_owned())).unwrap().id, first);
}

#[test]
fn a_draft_is_bounded() {
    let ids = Counted::default();
    let nodes = (0..MAX_NODES).map(|i| node(&format!("n{i}"))).collect();
    let mut pieces = Pieces { nodes, edges: Vec::new() };
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
