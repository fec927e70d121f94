//! How runs belong together: those that nodes start, and those that go on from others.

use std::collections::BTreeSet;

use domain::{NodeKey, RunId, Timestamp};
use serde::{Deserialize, Serialize};

/// The runs that one node starts: one of a `workflow`, one for each chunk of a `for_each`. They are numbered from 0 and started in
/// order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Children {
    /// How many there will be.
    pub total: u32,
    /// How many were started.
    pub started: u32,
    /// Those that were started and have not been seen to end. Where their node is settled, they are to be cancelled.
    pub open: BTreeSet<u32>,
}

/// The node that a run is a child of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: NodeKey,
    /// The number of the child among the node's.
    pub child: u32,
    /// Which items of a `for_each` it works on, if it is a chunk and not a run of a whole workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<Chunk>,
}

/// A part of the items of a `for_each`. A run of one works on copies of the node's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The `for_each` node, by its key in each body on the way to it from the workflow.
    pub path: Vec<NodeKey>,
    /// The place of its first item among all.
    pub first: u32,
    /// How many items it has.
    pub items: u32,
    /// The most items that are in work at a time.
    pub at_once: u32,
    /// The time that expressions see, as in the run that the node is in.
    pub time: Timestamp,
}

/// What a retry goes on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryOf {
    /// The earlier run.
    pub run_id: RunId,
    /// Where it starts again.
    pub from: RetryFrom,
}

/// Where a retry starts again. What comes before keeps its recorded results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryFrom {
    /// At every node that failed or did not come to its end.
    Failed,
    /// At this node, and at every node that failed or did not come to its end.
    Node(NodeKey),
    /// At the beginning: nothing is kept.
    Start,
}
