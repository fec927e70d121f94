//! What a committed state asks for. Derived from it and never stored beside it, so that deriving twice is
//! harmless.

use domain::{NodeKey, Timestamp};

use crate::{NodeState, Plan, Run};

/// An effectful node that may be claimed: worth a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The node.
    pub node: NodeKey,
    /// From when on.
    pub not_before: Option<Timestamp>,
}

/// Every effectful node of the committed state that may be claimed, in plan order. Empty once the run has
/// ended.
pub fn effects(plan: &Plan, run: &Run) -> Vec<Effect> {
    let ready = |key| run.nodes.get(key).and_then(|state| effect(key, state));
    plan.order().filter_map(ready).collect()
}

/// The effectful nodes that may be claimed in `after` and could not (under the same attempt) in `before`, by
/// key.
pub fn newly_ready(before: &Run, after: &Run) -> Vec<Effect> {
    let is_new = |(key, state): &(&NodeKey, &NodeState)| before.nodes.get(*key) != Some(*state);
    after.nodes.iter().filter(is_new).filter_map(|(key, state)| effect(key, state)).collect()
}

/// The earliest end of a lease or start of a retry after `now`: until then, nothing of this happens by
/// itself.
pub fn live_leases(run: &Run, now: Timestamp) -> Option<Timestamp> {
    let times = run.nodes.values().filter_map(|state| match state {
        NodeState::Running { lease_until, .. } => Some(*lease_until),
        NodeState::Ready { not_before, .. } => *not_before,
        _ => None,
    });
    times.filter(|time| *time > now).min()
}

fn effect(key: &NodeKey, state: &NodeState) -> Option<Effect> {
    match state {
        NodeState::Ready { not_before, .. } => Some(Effect { node: key.clone(), not_before: *not_before }),
        _ => None,
    }
}
