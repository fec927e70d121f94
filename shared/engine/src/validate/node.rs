//! Rules of one node: its key, type, metadata, what its expressions name, output, retries, timeout.

use domain::{Graph, Node, NodeKey, OnError, RetryPolicy};

use super::{CheckedNode, Violation};
use crate::{
    expr::Reads,
    nodes::{self, ERROR},
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
    out: &mut Vec<Violation>,
) -> CheckedNode {
    let node = &graph.nodes[i];
    let pointer = format!("/nodes/{i}");
    let mut found = Vec::new();
    check_key(node, i, topology, &pointer, &mut found);
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
                topology,
                i,
                reads,
                &join(&format!("{pointer}/metadata"), field.name),
                &mut found,
            );
        }
        checked.metadata = metadata;
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
    out.extend(found.into_iter().map(|violation| violation.at(&node.key)));
    checked
}

fn check_key(node: &Node, i: usize, topology: &Topology<'_>, pointer: &str, found: &mut Vec<Violation>) {
    let place = join(pointer, "key");
    if !node.key.is_valid() {
        let message = "a key is a lower-case letter, then up to 62 of lower-case letters, digits and `_`";
        found.push(Violation::error(&*place, "wrong_key", message));
    }
    if let Some(first) = topology.find(&node.key).filter(|first| *first != i) {
        let message = format!("node {first} has the key `{}` too", node.key);
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
fn check_reads(
    graph: &Graph,
    topology: &Topology<'_>,
    i: usize,
    reads: &Reads,
    place: &str,
    found: &mut Vec<Violation>,
) {
    if reads.nodes.is_empty() {
        return;
    }
    let ancestors = topology.ancestors(i);
    for key in &reads.nodes {
        match topology.find(&NodeKey::new(key.as_str())) {
            None => {
                let message = format!("`base.nodes.{key}`: there is no node `{key}`");
                found.push(Violation::error(place, "unknown_node", message));
            }
            Some(other) if !ancestors[other] => {
                let message = format!(
                    "`base.nodes.{key}` is never there: no path leads from `{key}` to `{}`",
                    graph.nodes[i].key
                );
                found.push(Violation::warning(place, "not_an_ancestor", message));
            }
            Some(_) => {}
        }
    }
}
