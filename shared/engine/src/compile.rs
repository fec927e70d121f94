//! A published version becomes a [`Plan`] (WF-16): keys resolved, order fixed, expressions parsed.

use std::sync::Arc;

use domain::{Graph, WorkflowVersion};

use crate::{
    Plan, Severity, Violation,
    expr::Reads,
    nodes::Mode,
    plan::{Link, PlanNode},
    topology::Topology,
    validate::{Checked, CheckedNode, check_body, check_for_publish},
};

/// Seconds that one attempt may take where its node does not say.
const DEFAULT_TIMEOUT_S: u32 = 30;

/// Compiles a version that was published. Fails with every error that
/// [`validate_for_publish`](crate::validate_for_publish) finds.
pub fn compile(version: Arc<WorkflowVersion>) -> Result<Plan, Vec<Violation>> {
    let body = body_of(&version.graph, check_for_publish(&version.graph))?;
    Ok(Plan::of_version(version, body))
}

/// The nodes of a graph in plan order, or its errors.
fn body_of(graph: &Graph, checked: Checked<'_>) -> Result<Arc<[PlanNode]>, Vec<Violation>> {
    let Checked { mut violations, topology, nodes: mut read } = checked;
    violations.retain(|violation| violation.severity == Severity::Error);
    if !violations.is_empty() {
        return Err(violations);
    }
    let order = topology.order();
    let mut rank = vec![0; order.len()];
    for (place_in_plan, node) in order.iter().enumerate() {
        rank[*node] = place_in_plan;
    }
    let builder = Builder { graph, topology: &topology, order: &order, rank: &rank };
    let mut nodes = Vec::with_capacity(order.len());
    for place in &order {
        nodes.extend(builder.node(*place, std::mem::take(&mut read[*place]))?);
    }
    Ok(nodes.into())
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
    fn node(&self, place: usize, read: CheckedNode) -> Result<Option<PlanNode>, Vec<Violation>> {
        let node = &self.graph.nodes[place];
        let Some(node_type) = read.node_type else { return Ok(None) };
        let mut reads =
            read.metadata.reads().map(|(_, reads)| reads.clone()).fold(Reads::default(), Reads::and);
        let body: Arc<[PlanNode]> = match &read.body {
            Some(body) => body_of(body, check_body(body))?,
            None => Arc::default(),
        };
        // What the body reads of the nodes around it travels with each chunk, as part of the `base` of this node.
        reads = body.iter().map(PlanNode::all_reads).fold(reads, Reads::and);
        Ok(Some(PlanNode {
            document: node.clone(),
            node_type,
            labels: node_type.labels(&node.metadata),
            joins: node_type.arity().joins.then(|| Mode::of(&node.metadata)),
            schema: read.schema,
            timeout_s: node.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S),
            incoming: self.links(self.topology.incoming(place), |(from, _)| from),
            outgoing: self.links(self.topology.outgoing(place), |(_, to)| to),
            visible: self.visible(place, &reads),
            metadata: read.metadata,
            body,
        }))
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

impl PlanNode {
    /// What its expressions and those of its body refer to.
    fn all_reads(&self) -> Reads {
        let own = self.metadata.reads().map(|(_, reads)| reads.clone());
        own.chain(self.body.iter().map(Self::all_reads)).fold(Reads::default(), Reads::and)
    }
}
