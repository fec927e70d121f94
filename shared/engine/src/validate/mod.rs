//! Save-time rules (engine.md, Graph): every violation at once, each with its node, field and message.

mod edges;
mod inputs;
mod node;
mod references;

use domain::{Graph, NodeKey, graph::MAX_NODES};
use serde::Serialize;

use crate::{
    nodes::{Metadata, NodeType},
    schema::Schema,
    topology::Topology,
};

pub use inputs::{validate_input_params, validate_inputs};
pub(crate) use node::pointer_into_body;
pub use node::{MAX_DELAY_S, MAX_RETRIES, MAX_TIMEOUT_S};
pub use references::{Reference, ReferenceKind, references, used_workflows};

/// How much a [`Violation`] weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The graph can't be published.
    Error,
    /// The graph runs, but perhaps not as its author means.
    Warning,
}

/// One place in a document that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Whether it stands in the way of publishing.
    pub severity: Severity,
    /// The node, where the mistake is in one.
    pub node: Option<NodeKey>,
    /// JSON Pointer (RFC 6901) into the checked document: `/nodes/3/metadata/condition`, `/edges/2`.
    pub pointer: String,
    /// A stable word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// Character offset inside the field, where it is an expression.
    pub offset: Option<usize>,
}

impl Violation {
    /// An error at a place of the document.
    pub(crate) fn error(pointer: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            node: None,
            pointer: pointer.into(),
            code: code.into(),
            message: message.into(),
            offset: None,
        }
    }

    /// A warning at a place of the document.
    pub(crate) fn warning(pointer: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(pointer, code, message) }
    }

    pub(crate) fn at(mut self, node: &NodeKey) -> Self {
        self.node = Some(node.clone());
        self
    }
}

/// Every violation of the save-time rules that can be seen without the catalog. A draft may be saved with any
/// of them.
pub fn validate(graph: &Graph) -> Vec<Violation> {
    check(graph).violations
}

/// [`validate`], and no node whose type can't be run yet (`not_available`).
pub fn validate_for_publish(graph: &Graph) -> Vec<Violation> {
    check_for_publish(graph).violations
}

/// A graph that was read: its violations, and for [`compile`](fn@crate::compile) what was built on the way.
#[derive(Debug)]
pub(crate) struct Checked<'g> {
    pub(crate) violations: Vec<Violation>,
    pub(crate) topology: Topology<'g>,
    pub(crate) nodes: Vec<CheckedNode>,
}

/// A node of a graph that was read, as far as it could be.
#[derive(Debug, Default)]
pub(crate) struct CheckedNode {
    /// None if nobody knows its type.
    pub(crate) node_type: Option<&'static dyn NodeType>,
    pub(crate) metadata: Metadata,
    pub(crate) schema: Option<Schema>,
    /// What it does for each item, if it is a `for_each`.
    pub(crate) body: Option<Graph>,
}

/// Where a body stands: what its expressions may read besides its own nodes.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    topology: &'a Topology<'a>,
    /// The `for_each`.
    node: usize,
    outer: Option<&'a Around<'a>>,
}

impl Around<'_> {
    /// Whether the output of a node around the body is there when the body runs; None if there is no such node.
    fn sees(&self, key: &NodeKey) -> Option<bool> {
        match self.topology.find(key) {
            Some(node) => Some(self.topology.ancestors(self.node)[node]),
            None => self.outer?.sees(key),
        }
    }

    /// Whether a node around the body has this key.
    fn has(&self, key: &NodeKey) -> bool {
        self.topology.find(key).is_some() || self.outer.is_some_and(|outer| outer.has(key))
    }

    fn depth(&self) -> usize {
        1 + self.outer.map_or(0, Self::depth)
    }
}

/// How deep `for_each` may stand in bodies of `for_each`.
const MAX_DEPTH: usize = 3;

/// The checks of [`validate`].
pub(crate) fn check(graph: &Graph) -> Checked<'_> {
    check_within(graph, None)
}

/// Reads a body whose violations are known already.
pub(crate) fn check_body(body: &Graph) -> Checked<'_> {
    Checked { violations: Vec::new(), ..check_within(body, None) }
}

/// Of a graph with too many nodes only that is said, so that the work is bounded.
fn check_within<'g>(graph: &'g Graph, around: Option<&Around<'_>>) -> Checked<'g> {
    if graph.nodes.len() > MAX_NODES {
        let message = format!("the graph has {} nodes; {MAX_NODES} is the most", graph.nodes.len());
        let violations = vec![Violation::error("/nodes", "too_many_nodes", message)];
        return Checked { violations, topology: Topology::of(graph), nodes: Vec::new() };
    }
    let topology = Topology::of(graph);
    let mut violations = Vec::new();
    if graph.nodes.is_empty() {
        violations.push(Violation::error("/nodes", "no_nodes", "a workflow has at least one node"));
    }
    let nodes: Vec<_> =
        (0..graph.nodes.len()).map(|i| node::check(graph, &topology, i, around, &mut violations)).collect();
    edges::check(graph, &topology, &nodes, &mut violations);
    Checked { violations, topology, nodes }
}

/// The checks of [`validate_for_publish`].
pub(crate) fn check_for_publish(graph: &Graph) -> Checked<'_> {
    let mut checked = check(graph);
    checked.violations.extend(unavailable(graph, &checked.nodes));
    checked
}

fn unavailable(graph: &Graph, nodes: &[CheckedNode]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (i, (node, read)) in graph.nodes.iter().zip(nodes).enumerate() {
        let pointer = format!("/nodes/{i}");
        if read.node_type.is_some_and(|node_type| !node_type.is_available()) {
            let message = format!("node type `{}` can't be run yet", node.node_type);
            let violation = Violation::error(format!("{pointer}/node_type"), "not_available", message);
            found.push(violation.at(&node.key));
        }
        if let Some(body) = &read.body {
            let inner = unavailable(body, &check_body(body).nodes);
            found.extend(inner.into_iter().map(|violation| Violation {
                pointer: pointer_into_body(node, &pointer, &violation.pointer),
                ..violation
            }));
        }
    }
    found
}
