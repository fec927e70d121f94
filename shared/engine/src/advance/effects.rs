//! What a committed state asks for. Derived from it and never stored beside it, so that deriving twice is
//! harmless.

use std::collections::HashSet;

use domain::{NodeKey, RunStatus, Timestamp, TriggerKind};

use crate::{Awaited, NodeState, Plan, Run};

/// Something to do after a commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// An effectful node may be claimed: worth a message.
    Claim {
        /// The node.
        node: NodeKey,
        /// From when on.
        not_before: Option<Timestamp>,
    },
    /// A node waits until this time: worth a message then.
    Wake {
        /// The node.
        node: NodeKey,
        /// When.
        at: Timestamp,
    },
    /// A child that is waited for is to be there.
    StartChild {
        /// The node that waits.
        node: NodeKey,
        /// The number of the child.
        child: u32,
    },
    /// A child that nobody waits for any more is to end.
    CancelChild {
        /// The node that waited.
        node: NodeKey,
        /// The number of the child.
        child: u32,
    },
    /// The run has ended, and its parent is to hear of it.
    TellParent,
    /// The run has ended, and makes room for the next one of its team.
    MakeRoom,
    /// The run failed or was cancelled, and its version names a workflow to be started then.
    StartErrorWorkflow,
}

/// Everything that the committed state asks for: what is ready in plan order, then children, then what follows from its end.
pub fn effects(plan: &Plan, run: &Run) -> Vec<Effect> {
    let mut effects: Vec<_> =
        plan.order().filter_map(|key| run.nodes.get(key).and_then(|state| of_node(key, state))).collect();
    effects.extend(of_children(run));
    if run.status.is_terminal() {
        effects.extend(run.parent.as_ref().map(|_| Effect::TellParent));
        effects.extend(run.max_running.map(|_| Effect::MakeRoom));
        effects.extend(asks_for_error_workflow(plan, run).then_some(Effect::StartErrorWorkflow));
    }
    effects
}

/// Whether the end of a run asks for anything that nobody but its own workers would miss. Its parent looks at its children now and then, and
/// so do those who wait for room.
pub(super) fn is_missed_by_nobody_else(plan: &Plan, run: &Run) -> bool {
    of_children(run).next().is_some() || asks_for_error_workflow(plan, run)
}

/// What `after` asks for and `before` did not.
pub fn new_effects(plan: &Plan, before: &Run, after: &Run) -> Vec<Effect> {
    let known: HashSet<_> = effects(plan, before).into_iter().collect();
    effects(plan, after).into_iter().filter(|effect| !known.contains(effect)).collect()
}

/// The node whose lease is the first to end, or whose retry is the first to start, after `now`, and when: until then, nothing of this
/// happens by itself.
pub fn next_lease(run: &Run, now: Timestamp) -> Option<(&NodeKey, Timestamp)> {
    let times = run.nodes.iter().filter_map(|(key, state)| match state {
        NodeState::Running { lease_until, .. } => Some((key, *lease_until)),
        NodeState::Ready { not_before, .. } => Some((key, (*not_before)?)),
        _ => None,
    });
    times.filter(|(_, time)| *time > now).min_by_key(|(_, time)| *time)
}

fn of_node(key: &NodeKey, state: &NodeState) -> Option<Effect> {
    let node = || key.clone();
    match state {
        NodeState::Ready { not_before, .. } => Some(Effect::Claim { node: node(), not_before: *not_before }),
        NodeState::Waiting { until: Some(at), .. } => Some(Effect::Wake { node: node(), at: *at }),
        _ => None,
    }
}

fn of_children(run: &Run) -> impl Iterator<Item = Effect> {
    run.children.iter().flat_map(|(node, children)| {
        let is_awaited =
            matches!(run.nodes.get(node), Some(NodeState::Waiting { on: Awaited::Children, .. }));
        children.open.iter().map(move |child| {
            let (node, child) = (node.clone(), *child);
            if is_awaited { Effect::StartChild { node, child } } else { Effect::CancelChild { node, child } }
        })
    })
}

/// A chunk is no run of its own, and what a failure started starts nothing more by failing.
fn asks_for_error_workflow(plan: &Plan, run: &Run) -> bool {
    matches!(run.status, RunStatus::Failed | RunStatus::Cancelled)
        && !run.is_chunk()
        && run.trigger.kind != TriggerKind::Error
        && plan.version().settings.error_workflow_id.is_some()
}
