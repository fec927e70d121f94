//! What an edge carries, and what a node gets of several.

use std::collections::BTreeMap;

use domain::{Graph, OnError};

use super::walk::{NodeShapes, Scene};
use crate::{
    nodes::{ERROR, Labels, Mode},
    shape::{Rest, Shape},
    validate::Checked,
};

/// What an edge hands on, and whether it is live in every run that comes to its parent's end.
struct Carried<'g> {
    parent: usize,
    label: Option<&'g str>,
    shape: Shape,
    is_sure: bool,
}

/// What the node sees as `input`, and whether it runs in every run that does not fail before.
pub(super) fn input(
    graph: &Graph,
    checked: &Checked<'_>,
    scene: &Scene,
    place: usize,
    shapes: &[Option<NodeShapes>],
) -> (Shape, bool) {
    let edges = checked.topology.incoming(place);
    if edges.is_empty() {
        return (scene.root.clone(), true);
    }
    let carried: Vec<_> = edges.iter().filter_map(|edge| carried(graph, checked, *edge, shapes)).collect();
    let is_sure = carried.iter().any(|carried| carried.is_sure);
    let joins = checked.nodes[place].node_type.is_some_and(|node_type| node_type.arity().joins);
    let shape = match joins.then(|| Mode::of(&graph.nodes[place].metadata)) {
        Some(Mode::Object) => by_parent(graph, &carried),
        Some(Mode::Append) => appended(&carried),
        Some(Mode::Any) | None => Shape::any_of(carried.iter().map(|carried| &carried.shape)),
    };
    (shape, is_sure)
}

fn carried<'g>(
    graph: &'g Graph,
    checked: &Checked<'_>,
    edge: usize,
    shapes: &[Option<NodeShapes>],
) -> Option<Carried<'g>> {
    let (parent, _) = checked.topology.ends(edge)?;
    let known = shapes[parent].as_ref()?;
    let label = graph.edges[edge].label.as_deref();
    let node = &graph.nodes[parent];
    let labels =
        checked.nodes[parent].node_type.map(|found| found.labels(&node.metadata)).unwrap_or_default();
    let succeeds = known.is_sure && node.on_error != OnError::Branch;
    let (shape, is_sure) = match (label, labels) {
        (Some(ERROR), _) => (Shape::failure(), false),
        (Some(part), Labels::Parts(_)) => (known.output.look_up(part).0.settled(), succeeds),
        (Some(_), _) => (known.output.clone(), false),
        (None, _) => (known.output.clone(), succeeds),
    };
    Some(Carried { parent, label, shape, is_sure })
}

/// A parent with several edges gives an object by label, or what its only live edge carries.
fn by_parent(graph: &Graph, carried: &[Carried<'_>]) -> Shape {
    let mut fields: BTreeMap<String, Shape> = BTreeMap::new();
    for edge in carried {
        let name = graph.nodes[edge.parent].key.as_str();
        if fields.contains_key(name) {
            continue;
        }
        let same: Vec<_> = carried.iter().filter(|other| other.parent == edge.parent).collect();
        let mut shape = Shape::any_of(same.iter().map(|edge| &edge.shape));
        if same.len() > 1 {
            let parts = same
                .iter()
                .map(|edge| (edge.label.unwrap_or_default().to_owned(), edge.shape.clone().optional()));
            shape = shape.or(&Shape::object_and(parts.collect(), Rest::None));
        }
        let is_there = same.iter().any(|edge| edge.is_sure);
        fields.insert(name.to_owned(), if is_there { shape } else { shape.optional() });
    }
    Shape::object_and(fields, Rest::None)
}

fn appended(carried: &[Carried<'_>]) -> Shape {
    let mut item = Shape::never();
    let (mut least, mut most) = (0, Some(0));
    for edge in carried {
        // A null is one item here, unlike where a list is walked.
        let null = if edge.shape.null { Shape::null() } else { Shape::never() };
        item = item.or(&edge.shape.items()).or(&null);
        let (few, many) = edge.shape.item_bounds();
        let (few, many) =
            if edge.shape.null { (few.min(1), many.map(|many| many.max(1))) } else { (few, many) };
        least += if edge.is_sure { few } else { 0 };
        most = most.zip(many).map(|(all, many)| all + many);
    }
    Shape::list_of(item, least, most)
}
