//! What a message leaves behind, and who looks after it.

use domain::{NodeKey, Timestamp};
use engine::NodeState;

use super::{AdvanceError, time, worker::Message};
use crate::ports::{Hint, StoreError};

impl Message<'_> {
    /// Sends the next message of a chunk that this worker leaves with something to do.
    pub(super) async fn hand_over_chunk(&mut self) -> Result<(), AdvanceError> {
        if !self.run.plan.is_chunk() || self.run.has_ended() || self.next_in_need_of_slots().is_some() {
            return Ok(());
        }
        let hints = self.run.hints;
        self.run.expect_claims();
        self.run.dispatch().await?;
        self.is_handed_over = self.run.hints > hints;
        Ok(())
    }

    /// Sends a hint for the time when work that others hold would be free, if this message must look after it. It names a node: one that
    /// does not would ask for everything again, each time more of them.
    pub(super) async fn look_after_others(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let now = self.worker.conductor.clock.now();
        let mut left = Vec::from_iter(self.left_to_others(now));
        let mut waits_until = None;
        if let Some(node) = self.next_in_need_of_slots() {
            left.retain(|(_, then)| *then > now);
            waits_until = self.comes_back_on(now);
            left.extend(waits_until.map(|then| (Some(node), then)));
        }
        let hints = left.iter().map(|(node, then)| {
            let delay = time::delay_s(*then, now).min(time::MAX_DELAY_S);
            (Hint { node: node.clone(), ..self.hint.clone() }, delay)
        });
        self.run.send(hints.collect()).await?;
        if let Some(then) = waits_until.filter(|_| self.run.is_short_of_slots()) {
            Box::pin(self.run.wait_for_slots(then, now)).await;
        }
        Ok(left.iter().map(|(_, then)| (*then).max(now)).min())
    }

    /// The first of the nodes that are ready and whose calls need slots.
    fn next_in_need_of_slots(&self) -> Option<NodeKey> {
        let now = self.worker.conductor.clock.now();
        self.run.run().due(now).next().filter(|_| self.run.is_limited()).cloned()
    }

    /// When this message comes back for what it leaves ready and needs slots; None if that is for others to do.
    fn comes_back_on(&self, now: Timestamp) -> Option<Timestamp> {
        let is_in_charge = self.is_in_charge || !self.executed.is_empty();
        let is_for_others = self.run.is_short_of_slots() && self.run.others_are_at_work(now);
        (is_in_charge && !is_for_others).then(|| self.run.comes_back_for_slots(now))
    }

    /// What this message leaves behind and nobody else looks after, and from when on it may be claimed. After a crash that is whatever is
    /// held, because it was this message that guarded the lost worker's claims; else the node that it came for, or what it has claimed and
    /// then let go, or anything if it found nothing to do.
    fn left_to_others(&self, now: Timestamp) -> Option<(Option<NodeKey>, Timestamp)> {
        let run = self.run.run();
        let next = || engine::next_lease(run, now).map(|(node, then)| (Some(node.clone()), then));
        if self.delivery.is_repeat() {
            return next();
        }
        // Whoever gets a chunk next looks after it: a second message would meet the first, and both would leave two more.
        if self.is_handed_over {
            return None;
        }
        if let Some(node) = self.let_go.as_ref().or(self.hint.node.as_ref()) {
            let then = free_on(run.nodes.get(node), now).filter(|_| !self.executed.contains(node));
            return then.map(|then| (Some(node.clone()), then));
        }
        if self.calls > 0 || !self.run.commits.is_empty() {
            return None;
        }
        let is_free = |state: &NodeState| matches!(state, NodeState::Ready { not_before: None, .. });
        if run.nodes.values().any(is_free) { Some((None, now)) } else { next() }
    }
}

/// From when on a node may be claimed, in the past if it may be now; None if it never will, or if the message of its retry is on its way.
fn free_on(state: Option<&NodeState>, now: Timestamp) -> Option<Timestamp> {
    match state? {
        NodeState::Running { lease_until, .. } => Some(*lease_until),
        NodeState::Ready { not_before, .. } => {
            Some(not_before.unwrap_or_default()).filter(|then| *then <= now + time::EARLY)
        }
        _ => None,
    }
}
