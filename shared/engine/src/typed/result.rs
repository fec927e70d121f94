//! What a run comes to.

use std::collections::BTreeMap;

use domain::Graph;

use super::walk::NodeShapes;
use crate::{
    shape::{Rest, Shape},
    validate::Checked,
};

/// The output of its `return`; with several live ones an object by key; with none, the outputs of the leaves in the same way.
pub(super) fn of(graph: &Graph, checked: &Checked<'_>, shapes: &[Option<NodeShapes>]) -> Shape {
    let places = || 0..graph.nodes.len().min(checked.nodes.len());
    let returns: Vec<_> = places()
        .filter(|i| checked.nodes[*i].node_type.is_some_and(|found| !found.arity().continues))
        .collect();
    let is_sure = |i: &usize| shapes[*i].as_ref().is_some_and(|shapes| shapes.is_sure);
    let known = |i: &usize| shapes[*i].as_ref().map_or_else(Shape::any, |shapes| shapes.output.clone());
    match returns[..] {
        [only] if is_sure(&only) => known(&only),
        // Which of them are live is not known, nor are leaves where labels choose.
        [] => {
            let leaves: Vec<_> = places().filter(|i| checked.topology.outgoing(*i).is_empty()).collect();
            match leaves[..] {
                [only] if is_sure(&only) => known(&only),
                _ if leaves.iter().all(is_sure) => by_key(graph, &leaves, known),
                _ => Shape::any(),
            }
        }
        _ if returns.iter().all(is_sure) => by_key(graph, &returns, known),
        _ if returns.len() > 1 => {
            let single = returns.iter().fold(Shape::null(), |all, i| all.or(&known(i)));
            let several =
                returns.iter().map(|i| (graph.nodes[*i].key.as_str().to_owned(), known(i).optional()));
            let any = if returns.iter().any(is_sure) { Shape::never() } else { Shape::any() };
            single.or(&Shape::object_and(several.collect(), Rest::None)).or(&any)
        }
        _ => Shape::any(),
    }
}

fn by_key(graph: &Graph, places: &[usize], known: impl Fn(&usize) -> Shape) -> Shape {
    let fields = places.iter().map(|i| (graph.nodes[*i].key.as_str().to_owned(), known(i)));
    Shape::object_and(fields.collect::<BTreeMap<_, _>>(), Rest::None)
}
