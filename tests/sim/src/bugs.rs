//! Bugs that are planted to see that the judge finds them. Each stands where a mistake in an adapter or in the loop would: none
//! needs a line in the code under test.

use std::collections::BTreeMap;

use domain::{Graph, NodeKey, RunId};
use engine::{Attempt, NodeState, Run};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Bug {
    /// A claim is not committed, and the worker told that it was.
    SkippedClaim,
    /// A commit that another worker's made impossible is answered as if it had been written.
    ForgivenConflict,
    /// A connector makes each call twice.
    DoubledEffect,
    /// Each attempt has an idempotency key of its own.
    FreshKeys,
    /// An edge to a `merge` is lost on the way to the workers.
    ForgottenParent,
    /// A worker takes any attempt of a node that it once claimed for its own, so that its late result is accepted.
    LateResult,
    /// Nobody looks after runs that were left.
    NoMaintenance,
}

/// The graph without one of the edges that lead to its first `merge` of several.
pub fn without_a_parent(mut graph: Graph) -> Graph {
    let parents = |graph: &Graph, to: &NodeKey| graph.edges.iter().filter(|edge| edge.to == *to).count();
    if let Some(at) = graph.edges.iter().position(|edge| parents(&graph, &edge.to) > 1) {
        graph.edges.remove(at);
    }
    graph
}

/// Whether `after` claims a node that `before` does not.
pub fn claims(before: &Run, after: &Run) -> bool {
    let is_claim = |(key, state): (&NodeKey, &NodeState)| {
        matches!(state, NodeState::Running { .. }) && before.nodes.get(key) != Some(state)
    };
    after.nodes.iter().any(is_claim)
}

/// What a process remembers to have claimed.
pub type Claimed = BTreeMap<(RunId, NodeKey), Attempt>;

/// Remembers what this commit claims.
pub fn remember(claimed: &mut Claimed, before: &Run, after: &Run) {
    for (key, state) in &after.nodes {
        if let (NodeState::Running { attempt, .. }, true) = (state, before.nodes.get(key) != Some(state)) {
            claimed.insert((after.id, key.clone()), *attempt);
        }
    }
}

/// The run as a worker sees it that takes every attempt for the one it claimed itself.
pub fn mistaken(claimed: &Claimed, mut run: Run) -> Run {
    let id = run.id;
    for (key, state) in &mut run.nodes {
        if let (NodeState::Running { attempt, .. }, Some(own)) = (state, claimed.get(&(id, key.clone()))) {
            *attempt = *own;
        }
    }
    run
}
