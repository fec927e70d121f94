//! Rules of one node: its key, type, metadata, what its expressions name, output, retries, timeout.

use domain::{Graph, Node, NodeKey, OnError, RetryPolicy};

use super::{Around, CheckedNode, MAX_DEPTH, Violation, check_within};
use crate::{
    expr::Reads,
    nodes::{self, ERROR, for_each},
    pointer::join,
    schema::Schema,
    topology::Topology,
};

/// The longest that one attempt of a node may take, in seconds.
pub const MAX_TIMEOUT_S: u32 = 300;

/// The most retries after the first attempt.
pub const MAX_RETRIES: u32 = 10;

/// The longest wait before a retry, in seconds: what a queue can delay a message by.
pub const MAX_DELAY_S: u32 = 900;

/// Checks a node, and reads it as far as that goes.
pub(super) fn check(
    graph: &Graph,
    topology: &Topology<'_>,
    i: usize,
    around: Option<&Around<'_>>,
    out: &mut Vec<Violation>,
) -> CheckedNode {
    let node = &graph.nodes[i];
    let pointer = format!("/nodes/{i}");
    let mut found = Vec::new();
    check_key(node, i, topology, around, &pointer, &mut found);
    check_limits(node, &pointer, &mut found);
    check_error_edge(graph, topology, i, &pointer, &mut found);

    let mut checked = CheckedNode { node_type: nodes::find(&node.node_type), ..CheckedNode::default() };
    if let Some(node_type) = checked.node_type {
        let (metadata, problems) = nodes::read(node_type, &node.metadata);
        found.extend(problems.into_iter().map(|problem| Violation {
            offset: problem.offset,
            ..Violation::error(
                format!("{pointer}/metadata{}", problem.pointer),
                problem.code,
                problem.message,
            )
        }));
        for (field, reads) in metadata.reads() {
            check_reads(
                graph,
                &Around { topology, node: i, outer: around },
                reads,
                &join(&format!("{pointer}/metadata"), field.name),
                &mut found,
            );
        }
        checked.metadata = metadata;
        if node_type.control() == Some(nodes::Control::ForEach) {
            checked.body = for_each::body(&node.metadata).and_then(Result::ok);
        }
    } else {
        let message = format!("there is no node type `{}`", node.node_type);
        found.push(Violation::error(join(&pointer, "node_type"), "unknown_type", message));
    }
    match node.structured_output.as_ref().map(Schema::of_structured_output) {
        Some(Ok(schema)) => checked.schema = Some(schema),
        Some(Err(wrong)) => {
            let place = format!("{pointer}/structured_output{}", wrong.pointer);
            found.push(Violation::error(place, "wrong_schema", wrong.message));
        }
        None => {}
    }
    if around.is_some()
        && checked.node_type.is_some_and(|found| found.control() == Some(nodes::Control::Approval))
    {
        let message = "nobody would find an `approval` in a body: let the body run a workflow that asks";
        found.push(Violation::error(join(&pointer, "node_type"), "not_in_a_body", message));
    }
    out.extend(found.into_iter().map(|violation| violation.at(&node.key)));
    if let Some(body) = &checked.body {
        check_inner(body, &Around { topology, node: i, outer: around }, node, &pointer, out);
    }
    checked
}

/// The rules of a graph, for the body of a node.
fn check_inner(body: &Graph, around: &Around<'_>, node: &Node, pointer: &str, out: &mut Vec<Violation>) {
    if around.depth() > MAX_DEPTH {
        let message = format!("bodies may stand {MAX_DEPTH} deep in each other");
        out.push(Violation::error(format!("{pointer}/metadata/body"), "too_deep", message).at(&node.key));
        return;
    }
    for mut violation in check_within(body, Some(around)).violations {
        violation.pointer = pointer_into_body(node, pointer, &violation.pointer);
        out.push(violation);
    }
}

/// Where `inner`, a place in the body of a node, stands in the document that has the node at `pointer`: a body is given as a graph,
/// as a list of nodes, or as the fields of the one node that runs a workflow.
pub(crate) fn pointer_into_body(node: &Node, pointer: &str, inner: &str) -> String {
    match node.metadata.get("body") {
        None => format!("{pointer}{}", inner.trim_start_matches("/nodes/0")),
        Some(body) if body.is_array() => {
            format!("{pointer}/metadata/body{}", inner.trim_start_matches("/nodes"))
        }
        Some(_) => format!("{pointer}/metadata/body{inner}"),
    }
}

fn check_key(
    node: &Node,
    i: usize,
    topology: &Topology<'_>,
    around: Option<&Around<'_>>,
    pointer: &str,
    found: &mut Vec<Violation>,
) {
    let place = join(pointer, "key");
    if !node.key.is_valid() {
        let message = "a key is a lower-case letter, then up to 62 of lower-case letters, digits and `_`";
        found.push(Violation::error(&*place, "wrong_key", message));
    }
    if let Some(first) = topology.find(&node.key).filter(|first| *first != i) {
        let message = format!("node {first} has the key `{}` too", node.key);
        found.push(Violation::error(place, "duplicate_key", message));
    } else if around.is_some_and(|around| around.has(&node.key)) {
        let message = format!("a node around the body has the key `{}` too", node.key);
        found.push(Violation::error(place, "duplicate_key", message));
    }
}

fn check_limits(node: &Node, pointer: &str, found: &mut Vec<Violation>) {
    let mut out_of_range = |place: String, message: String| {
        found.push(Violation::error(format!("{pointer}/{place}"), "out_of_range", message));
    };
    if node.timeout_s.is_some_and(|timeout| !(1..=MAX_TIMEOUT_S).contains(&timeout)) {
        out_of_range("timeout_s".into(), format!("must be between 1 and {MAX_TIMEOUT_S} seconds"));
    }
    let Some(RetryPolicy { max_retries, delays_s }) = &node.retry else { return };
    if *max_retries > MAX_RETRIES {
        out_of_range("retry/max_retries".into(), format!("must be at most {MAX_RETRIES}"));
    }
    let delays = delays_s.as_deref().unwrap_or(&[]);
    if delays_s.is_some() && !(1..=MAX_RETRIES as usize).contains(&delays.len()) {
        out_of_range("retry/delays_s".into(), format!("must have 1 to {MAX_RETRIES} delays"));
    }
    for (i, _) in delays.iter().enumerate().filter(|(_, delay)| **delay > MAX_DELAY_S) {
        out_of_range(format!("retry/delays_s/{i}"), format!("must be at most {MAX_DELAY_S} seconds"));
    }
}

fn check_error_edge(
    graph: &Graph,
    topology: &Topology<'_>,
    i: usize,
    pointer: &str,
    found: &mut Vec<Violation>,
) {
    let has_edge =
        || topology.outgoing(i).iter().any(|edge| graph.edges[*edge].label.as_deref() == Some(ERROR));
    if graph.nodes[i].on_error == OnError::Branch && !has_edge() {
        let message = "no edge has the label `error`, so a failure of this node fails the run";
        found.push(Violation::warning(join(pointer, "on_error"), "no_error_edge", message));
    }
}

/// Only outputs of ancestors are ever visible: all else would depend on which branch is quicker.
fn check_reads(graph: &Graph, from: &Around<'_>, reads: &Reads, place: &str, found: &mut Vec<Violation>) {
    for key in &reads.nodes {
        match from.sees(&NodeKey::new(key.as_str())) {
            None => {
                let message = format!("`base.nodes.{key}`: there is no node `{key}`");
                found.push(Violation::error(place, "unknown_node", message));
            }
            Some(false) => {
                let message = format!(
                    "`base.nodes.{key}` is never there: no path leads from `{key}` to `{}`",
                    graph.nodes[from.node].key
                );
                found.push(Violation::warning(place, "not_an_ancestor", message));
            }
            Some(true) => {}
        }
    }
}
