//! What a version compiles to: nodes in an order of execution, links between them, and copies of them for the items of a chunk.

use std::{collections::HashMap, ops::Range, sync::Arc};

use domain::{Node, NodeKey, WorkflowVersion};
use serde_json::Value;

use crate::{
    Run, Values, flow,
    nodes::{ItemError, Labels, Metadata, Mode, NodeType, for_each},
    run::Chunk,
    schema::Schema,
};

/// All that [`advance`](fn@crate::advance) needs to know of what a run executes: a version, or one chunk of a `for_each` in it.
/// Immutable; a clone shares everything.
#[derive(Debug, Clone)]
pub struct Plan(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    version: Arc<WorkflowVersion>,
    body: Arc<[PlanNode]>,
    items: Option<Items>,
    /// The key of every copy of every node.
    keys: Vec<NodeKey>,
    places: HashMap<NodeKey, usize>,
}

/// What makes a plan one of a chunk.
#[derive(Debug, Clone)]
pub(crate) struct Items {
    pub(crate) chunk: Chunk,
    pub(crate) on_error: ItemError,
}

/// One node of a plan. Numbers are places in plan order, in the first copy.
#[derive(Debug)]
pub(crate) struct PlanNode {
    /// As its author wrote it. Its key is what expressions name.
    pub(crate) document: Node,
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
    /// What it does for each item, if it is a `for_each`.
    pub(crate) body: Arc<[PlanNode]>,
}

/// An edge, seen from one of its ends.
#[derive(Debug)]
pub(crate) struct Link {
    /// The node at the other end, in the first copy.
    pub(crate) other: usize,
    pub(crate) label: Option<String>,
}

impl Plan {
    pub(crate) fn of_version(version: Arc<WorkflowVersion>, body: Arc<[PlanNode]>) -> Self {
        let keys = body.iter().map(|node| node.document.key.clone()).collect();
        Self::new(version, body, None, keys)
    }

    fn new(
        version: Arc<WorkflowVersion>,
        body: Arc<[PlanNode]>,
        items: Option<Items>,
        keys: Vec<NodeKey>,
    ) -> Self {
        let places = keys.iter().enumerate().map(|(i, key)| (key.clone(), i)).collect();
        Self(Arc::new(Parts { version, body, items, keys, places }))
    }

    /// The plan of what `run` executes, where this is the plan of its version: itself, or the chunk that the run is of. None if the
    /// version has no such chunk.
    pub fn of_run(&self, run: &Run) -> Option<Self> {
        let Some(chunk) = run.parent.as_ref().and_then(|parent| parent.chunk.as_ref()) else {
            return Some(self.clone());
        };
        let mut body = &self.0.body;
        let mut found = None;
        for key in &chunk.path {
            let node = body.iter().find(|node| node.document.key == *key)?;
            found = Some(node);
            body = &node.body;
        }
        let node = found?;
        let items = Items { chunk: chunk.clone(), on_error: for_each::on_item_error(&node.metadata) };
        let numbers = chunk.first..chunk.first.saturating_add(chunk.items);
        let keys = numbers.flat_map(|item| {
            body.iter().map(move |node| NodeKey::new(format!("{}.{item}", node.document.key)))
        });
        Some(Self::new(Arc::clone(&self.0.version), Arc::clone(body), Some(items), keys.collect()))
    }

    /// The version it was compiled from.
    pub fn version(&self) -> &Arc<WorkflowVersion> {
        &self.0.version
    }

    /// Whether it is of a chunk of a `for_each`. Its nodes are then named `<key>.<item>`.
    pub fn is_chunk(&self) -> bool {
        self.0.items.is_some()
    }

    /// The keys of all nodes, parents before children; the order of the document where that leaves a choice.
    pub fn order(&self) -> impl ExactSizeIterator<Item = &NodeKey> {
        self.0.keys.iter()
    }

    /// The node as its author wrote it.
    pub fn node(&self, key: &NodeKey) -> Option<&Node> {
        self.find(key).map(|i| &self.at(i).document)
    }

    /// Whether the node is evaluated inside [`advance`](fn@crate::advance). False for a key that the plan
    /// does not know.
    pub fn is_pure(&self, key: &NodeKey) -> bool {
        self.find(key).is_some_and(|i| self.at(i).node_type.as_pure().is_some())
    }

    /// Whether the node is executed by a connector.
    pub fn is_effectful(&self, key: &NodeKey) -> bool {
        self.find(key).is_some_and(|i| self.at(i).is_effectful())
    }

    /// Seconds that one attempt of any effectful node takes at most; 0 where there is none.
    pub fn longest_timeout_s(&self) -> u32 {
        let effectful = self.0.body.iter().filter(|node| node.is_effectful());
        effectful.map(|node| node.timeout_s).max().unwrap_or(0)
    }

    /// Keys of the nodes from which an edge leads to this one, in the document's order of edges.
    pub fn parents(&self, key: &NodeKey) -> impl Iterator<Item = &NodeKey> {
        let links = self.find(key).map(|i| (self.offset(i), &self.at(i).incoming));
        self.ends(links)
    }

    /// Keys of the nodes to which an edge leads from this one, in the document's order of edges.
    pub fn children(&self, key: &NodeKey) -> impl Iterator<Item = &NodeKey> {
        let links = self.find(key).map(|i| (self.offset(i), &self.at(i).outgoing));
        self.ends(links)
    }

    /// What the node sees as `input`: the run's inputs at a root, else what flows along its live edges. Null
    /// where nothing does (yet).
    pub fn input_of(&self, run: &Run, values: &Values, key: &NodeKey) -> Value {
        self.find(key).map_or(Value::Null, |i| flow::input(self, run, values, i).into_owned())
    }

    /// The nodes whose items runs of their own work on.
    pub fn chunked(&self) -> impl Iterator<Item = &NodeKey> {
        let places = 0..self.len();
        places.filter(|i| !self.at(*i).body.is_empty()).map(|i| self.key(i))
    }

    /// How many nodes it has, all copies counted.
    pub(crate) fn len(&self) -> usize {
        self.0.keys.len()
    }

    /// The places of the nodes of each copy: all of a version, or those of each item.
    pub(crate) fn copies(&self) -> impl ExactSizeIterator<Item = Range<usize>> + use<> {
        let size = self.0.body.len().max(1);
        (0..self.len() / size).map(move |copy| copy * size..(copy + 1) * size)
    }

    /// The places of the copy that a node belongs to.
    pub(crate) fn copy_of(&self, i: usize) -> Range<usize> {
        let start = self.offset(i);
        start..start + self.0.body.len()
    }

    pub(crate) fn items(&self) -> Option<&Items> {
        self.0.items.as_ref()
    }

    /// The number of the item, among all of its `for_each`, that a node works on.
    pub(crate) fn item(&self, i: usize) -> Option<u32> {
        let items = self.items()?;
        Some(items.chunk.first + u32::try_from(i / self.0.body.len()).ok()?)
    }

    pub(crate) fn at(&self, i: usize) -> &PlanNode {
        &self.0.body[i % self.0.body.len()]
    }

    pub(crate) fn key(&self, i: usize) -> &NodeKey {
        &self.0.keys[i]
    }

    pub(crate) fn find(&self, key: &NodeKey) -> Option<usize> {
        self.0.places.get(key).copied()
    }

    /// The links of a node to its parents, each with the place of the parent in the same copy.
    pub(crate) fn incoming(&self, i: usize) -> impl Iterator<Item = (usize, &Link)> {
        let offset = self.offset(i);
        self.at(i).incoming.iter().map(move |link| (offset + link.other, link))
    }

    /// What the first node of a node's copy adds to places.
    pub(crate) fn offset(&self, i: usize) -> usize {
        i - i % self.0.body.len()
    }

    fn ends<'a>(&'a self, links: Option<(usize, &'a Vec<Link>)>) -> impl Iterator<Item = &'a NodeKey> {
        links
            .into_iter()
            .flat_map(move |(offset, links)| links.iter().map(move |link| self.key(offset + link.other)))
    }
}

impl PlanNode {
    /// Whether a connector executes it.
    pub(crate) fn is_effectful(&self) -> bool {
        self.node_type.as_pure().is_none() && self.node_type.control().is_none()
    }
}
