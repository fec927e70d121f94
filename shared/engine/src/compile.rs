//! A published version becomes a [`Plan`]: keys resolved, order fixed, expressions parsed.

use std::{collections::HashMap, sync::Arc};

use domain::{Graph, Node, NodeKey, WorkflowVersion};
use serde_json::Value;

use crate::{
    Run, Severity, Values, Violation,
    expr::Reads,
    flow,
    nodes::{Labels, Metadata, Mode, NodeType},
    schema::Schema,
    topology::Topology,
    validate::{Checked, CheckedNode, check_for_publish},
};

/// Seconds that one attempt may take where its node does not say.
const DEFAULT_TIMEOUT_S: u32 = 30;

/// All that [`advance`](fn@crate::advance) needs to know of a version. Immutable; a clone shares everything.
#[derive(Debug, Clone)]
pub struct Plan(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    version: Arc<WorkflowVersion>,
    /// In plan order.
    nodes: Vec<PlanNode>,
    places: HashMap<NodeKey, usize>,
}

/// One node of a plan. Numbers are places in plan order.
#[derive(Debug)]
pub(crate) struct PlanNode {
    /// Its place in the document.
    place: usize,
    pub(crate) key: NodeKey,
    pub(crate) node_type: &'static dyn NodeType,
    pub(crate) metadata: Metadata,
    pub(crate) labels: Labels,
    /// How its edges are joined, if it is a `merge`.
    pub(crate) joins: Option<Mode>,
    pub(crate) schema: Option<Schema>,
    pub(crate) timeout_s: u32,
    pub(crate) incoming: Vec<Link>,
    pub(crate) outgoing: Vec<Link>,
    /// The ancestors whose outputs its expressions may read.
    pub(crate) visible: Vec<usize>,
}

/// An edge, seen from one of its ends.
#[derive(Debug)]
pub(crate) struct Link {
    /// The node at the other end.
    pub(crate) other: usize,
    pub(crate) label: Option<String>,
}

/// Compiles a version that was published. Fails with every error that
/// [`validate_for_publish`](crate::validate_for_publish) finds.
pub fn compile(version: Arc<WorkflowVersion>) -> Result<Plan, Vec<Violation>> {
    let Checked { mut violations, topology, nodes: mut read } = check_for_publish(&version.graph);
    violations.retain(|violation| violation.severity == Severity::Error);
    if !violations.is_empty() {
        return Err(violations);
    }
    let order = topology.order();
    let mut rank = vec![0; order.len()];
    for (place_in_plan, node) in order.iter().enumerate() {
        rank[*node] = place_in_plan;
    }
    let builder = Builder { graph: &version.graph, topology: &topology, order: &order, rank: &rank };
    let nodes: Vec<_> =
        order.iter().filter_map(|place| builder.node(*place, std::mem::take(&mut read[*place]))).collect();
    let places = nodes.iter().enumerate().map(|(i, node)| (node.key.clone(), i)).collect();
    drop(topology);
    Ok(Plan(Arc::new(Parts { version, nodes, places })))
}

struct Builder<'a> {
    graph: &'a Graph,
    topology: &'a Topology<'a>,
    /// Places in the document, in plan order.
    order: &'a [usize],
    /// The other way round.
    rank: &'a [usize],
}

impl Builder<'_> {
    /// None never happens: a graph without errors has known types only.
    fn node(&self, place: usize, read: CheckedNode) -> Option<PlanNode> {
        let node = &self.graph.nodes[place];
        let node_type = read.node_type?;
        let reads = read.metadata.reads().map(|(_, reads)| reads.clone()).fold(Reads::default(), Reads::and);
        Some(PlanNode {
            place,
            key: node.key.clone(),
            node_type,
            labels: node_type.labels(&node.metadata),
            joins: node_type.arity().joins.then(|| Mode::of(&node.metadata)),
            schema: read.schema,
            timeout_s: node.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S),
            incoming: self.links(self.topology.incoming(place), |(from, _)| from),
            outgoing: self.links(self.topology.outgoing(place), |(_, to)| to),
            visible: self.visible(place, &reads),
            metadata: read.metadata,
        })
    }

    fn links(&self, edges: &[usize], other: fn((usize, usize)) -> usize) -> Vec<Link> {
        let link = |edge: &usize| {
            let ends = self.topology.ends(*edge)?;
            Some(Link { other: self.rank[other(ends)], label: self.graph.edges[*edge].label.clone() })
        };
        edges.iter().filter_map(link).collect()
    }

    fn visible(&self, place: usize, reads: &Reads) -> Vec<usize> {
        if !reads.all && reads.nodes.is_empty() {
            return Vec::new();
        }
        let ancestors = self.topology.ancestors(place);
        let is_read = |place: usize| reads.all || reads.nodes.contains(self.graph.nodes[place].key.as_str());
        (0..self.order.len()).filter(|i| ancestors[self.order[*i]] && is_read(self.order[*i])).collect()
    }
}

impl Plan {
    /// The version it was compiled from.
    pub fn version(&self) -> &Arc<WorkflowVersion> {
        &self.0.version
    }

    /// The keys of all nodes, parents before children; the order of the document where that leaves a choice.
    pub fn order(&self) -> impl ExactSizeIterator<Item = &NodeKey> {
        self.0.nodes.iter().map(|node| &node.key)
    }

    /// The node as its author wrote it.
    pub fn node(&self, key: &NodeKey) -> Option<&Node> {
        self.find(key).map(|i| &self.0.version.graph.nodes[self.nodes()[i].place])
    }

    /// Whether the node is evaluated inside [`advance`](fn@crate::advance). False for a key that the plan
    /// does not know.
    pub fn is_pure(&self, key: &NodeKey) -> bool {
        self.find(key).is_some_and(|i| self.nodes()[i].node_type.as_pure().is_some())
    }

    /// Seconds that one attempt of any effectful node takes at most; 0 where all nodes are pure.
    pub fn longest_timeout_s(&self) -> u32 {
        let effectful = self.nodes().iter().filter(|node| node.node_type.as_pure().is_none());
        effectful.map(|node| node.timeout_s).max().unwrap_or(0)
    }

    /// Keys of the nodes from which an edge leads to this one, in the document's order of edges.
    pub fn parents(&self, key: &NodeKey) -> impl Iterator<Item = &NodeKey> {
        self.ends(self.find(key).map(|i| &self.nodes()[i].incoming))
    }

    /// Keys of the nodes to which an edge leads from this one, in the document's order of edges.
    pub fn children(&self, key: &NodeKey) -> impl Iterator<Item = &NodeKey> {
        self.ends(self.find(key).map(|i| &self.nodes()[i].outgoing))
    }

    /// What the node sees as `input`: the run's inputs at a root, else what flows along its live edges. Null
    /// where nothing does (yet).
    pub fn input_of(&self, run: &Run, values: &Values, key: &NodeKey) -> Value {
        self.find(key).map_or(Value::Null, |i| flow::input(self, run, values, i).into_owned())
    }

    pub(crate) fn nodes(&self) -> &[PlanNode] {
        &self.0.nodes
    }

    pub(crate) fn find(&self, key: &NodeKey) -> Option<usize> {
        self.0.places.get(key).copied()
    }

    /// The node as its author wrote it, by its place in plan order.
    pub(crate) fn document(&self, i: usize) -> &Node {
        &self.0.version.graph.nodes[self.0.nodes[i].place]
    }

    fn ends<'a>(&'a self, links: Option<&'a Vec<Link>>) -> impl Iterator<Item = &'a NodeKey> {
        links.into_iter().flatten().map(|link| &self.nodes()[link.other].key)
    }
}
