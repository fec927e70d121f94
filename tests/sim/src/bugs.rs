//! Bugs that are planted to see that the judge finds them. Each stands where a mistake in an adapter or in the loop would: none
//! needs a line in the code under test.

use std::collections::BTreeMap;

use domain::{Graph, NodeKey, RunId, RunStatus};
use engine::{Attempt, Awaited, NodeState, Run};

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
    /// The results of a `for_each` are gathered in the order in which its chunks ended.
    GatheredAsTheyCame,
    /// A child that has ended is counted for one that has not.
    CountedTwice,
    /// More items of a chunk are in work than it was told.
    TooManyItems,
    /// A cancel forgets the runs that runs which it ends have started.
    ForgottenGrandchild,
    /// A person who decides again is another person.
    TwoVotesOfOne,
    /// A retry forgets what its earlier run has come to.
    ForgetfulRetry,
    /// A failure is told of twice.
    ToldTwice,
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

/// Whether this commit cancels a run that is two below another, and had begun.
pub fn cancels_grandchild(before: &Run, after: &Run, is_child: impl Fn(RunId) -> bool) -> bool {
    after.status == RunStatus::Cancelled
        && before.status != RunStatus::Pending
        && after.parent.as_ref().is_some_and(|parent| is_child(parent.run_id))
}

/// Of these children, the one that is taken for the one of this number: the so-manieth that ended.
pub fn as_they_came(mut children: Vec<&Run>, number: u32) -> Option<&Run> {
    children.sort_by_key(|child| (child.finished_on, child.revision));
    children.get(number as usize).copied().filter(|child| child.status.is_terminal())
}

/// A run as it is stored first, with more of its items at a time than it was to have.
pub fn eager(mut run: Run) -> Run {
    if let Some(chunk) = run.parent.as_mut().and_then(|parent| parent.chunk.as_mut()) {
        chunk.at_once *= 3;
    }
    run
}

/// The run with nobody among its voters who could decide again, or, the other way, with all of them as they are called.
pub fn with_voters(mut run: Run, named: impl Fn(&str) -> String) -> Run {
    for state in run.nodes.values_mut() {
        if let NodeState::Waiting { on: Awaited::Approval { votes, .. }, .. } = state {
            for vote in votes {
                vote.by = named(&vote.by);
            }
        }
    }
    run
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
