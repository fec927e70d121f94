//! What a run comes to.

use std::collections::BTreeMap;

use domain::Graph;

use super::walk::NodeShapes;
use crate::{
    shape::{Rest, Shape},
    validate::Checked,
};

/// The output of its `return`; with several live ones an object by key; with none, the outputs of the leaves in the same way.
pub(crate) fn of(graph: &Graph, checked: &Checked<'_>, shapes: &[Option<NodeShapes>]) -> Shape {
    if checked.nodes.len() != graph.nodes.len() {
        return Shape::any();
    }
    let places = || 0..graph.nodes.len();
    let returns: Vec<_> = places()
        .filter(|i| checked.nodes[*i].node_type.is_some_and(|found| !found.arity().continues))
        .collect();
    let leaves: Vec<_> = places().filter(|i| checked.topology.outgoing(*i).is_empty()).collect();
    let is_sure = |i: &usize| shapes[*i].as_ref().is_some_and(|shapes| shapes.is_sure);
    let others: Vec<_> = leaves.into_iter().filter(|leaf| !returns.contains(leaf)).collect();
    if returns.is_empty() {
        of_some(graph, &others, shapes)
    } else if others.is_empty() || returns.iter().any(is_sure) {
        of_some(graph, &returns, shapes)
    } else {
        of_some(graph, &returns, shapes).or(&of_some(graph, &others, shapes))
    }
}

/// What those of the nodes come to that are live: one is itself, several are an object by key, none is null.
fn of_some(graph: &Graph, places: &[usize], shapes: &[Option<NodeShapes>]) -> Shape {
    let known = |i: &usize| shapes[*i].as_ref().map_or_else(Shape::any, |shapes| shapes.output.clone());
    let sure = places.iter().filter(|i| shapes[**i].as_ref().is_some_and(|shapes| shapes.is_sure)).count();
    let mut result = if sure == 0 { Shape::null() } else { Shape::never() };
    if sure < 2 {
        let alone =
            places.iter().filter(|i| sure == 0 || shapes[**i].as_ref().is_some_and(|known| known.is_sure));
        result = alone.fold(result, |all, i| all.or(&known(i)));
    }
    if places.len() < 2 {
        return result;
    }
    let field = |i: &usize| {
        let output = known(i);
        let is_sure = shapes[*i].as_ref().is_some_and(|shapes| shapes.is_sure);
        (graph.nodes[*i].key.as_str().to_owned(), if is_sure { output } else { output.optional() })
    };
    result.or(&Shape::object_and(places.iter().map(field).collect::<BTreeMap<_, _>>(), Rest::None))
}
