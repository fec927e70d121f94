//! The state that one advance works on, from the event to the decision.

use domain::{ErrorClass, Failure, NodeKey, RunStatus, Timestamp};

use super::{Decision, MAX_CRASHES, Manner, Moment, effects, settle::Ended};
use crate::{
    Abandoned, Attempt, Awaited, Call, NodeState, Plan, Revision, Run, StepRecord, Values, run::RECHECK,
};

/// The most attempts that a run may settle where its version does not say.
pub const MAX_STEPS: u32 = 1_000_000;

/// How many times [`RECHECK`] a run waits for children before it looks whether their messages were lost.
const PATIENCE_WITH_CHILDREN: i32 = 5;

/// A run on its way to its next state. Nodes are named by their place in plan order.
pub(super) struct Transition<'a> {
    pub(super) plan: &'a Plan,
    pub(super) moment: &'a Moment,
    /// The next control state.
    pub(super) run: Run,
    /// The stored values, and those that this advance adds.
    pub(super) values: Values,
    pub(super) records: Vec<StepRecord>,
    pub(super) calls: Vec<Call>,
    /// Pure nodes that may still be evaluated.
    pub(super) fused: usize,
    manner: Manner,
}

impl<'a> Transition<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        run: &Run,
        values: &Values,
        moment: &'a Moment,
        manner: Manner,
    ) -> Self {
        let (run, values) = (run.clone(), values.clone());
        let fused = if manner == Manner::Unfused { 1 } else { usize::MAX };
        Self { plan, moment, run, values, records: Vec::new(), calls: Vec::new(), fused, manner }
    }

    /// Takes the run as far as it goes without the outside world.
    pub(super) fn proceed(&mut self) {
        if self.run.status == RunStatus::Pending {
            self.run.status = RunStatus::Running;
            self.run.started_on = Some(self.moment.now);
            self.run.started_at = self.revision();
        }
        while !self.has_ended() {
            self.settle_ready();
            if self.has_ended() || !self.claim_or_settle() {
                break;
            }
        }
        self.end_if_settled();
    }

    /// The decision; `before` is the run as it is stored.
    pub(super) fn into_decision(mut self, before: &Run) -> Decision {
        self.bound_steps();
        // A check that came and found nothing to do moves on, so that the run is not looked at again at once, and again.
        let is_due = before.next_check_on.is_some_and(|check| check <= self.moment.now);
        if self.run == *before && !is_due {
            return self.unchanged();
        }
        self.run.lost_deliveries.clear();
        if !self.has_ended() {
            self.run.status = self.open_status();
        }
        self.committed()
    }

    /// Counts a delivery before it comes to anything, and fails the run if as many were counted before and are lost as are borne.
    pub(super) fn count_delivery(mut self, message: String) -> Decision {
        let counted = self.run.lost_deliveries.entry(message).or_default();
        *counted += 1;
        if *counted > MAX_CRASHES {
            let message = format!("its worker was lost {MAX_CRASHES} times before it came to a commit");
            self.end_failed(None, Failure::new(ErrorClass::Crashed, "workers_lost", message));
        }
        self.committed()
    }

    /// Takes the counts of a message back.
    pub(super) fn excuse_deliveries(mut self, message: &str) -> Decision {
        match self.run.lost_deliveries.remove(message) {
            Some(_) => self.committed(),
            None => self.unchanged(),
        }
    }

    /// Leaves a run that waits for others of its team for its next message, and for a while after it should that be lost.
    pub(super) fn postpone(self, until: Timestamp) -> Decision {
        let next_check = self.next_check(until + RECHECK);
        let is_known = match self.run.status {
            RunStatus::Pending => self.run.postponed_until(self.moment.now).is_some(),
            _ => next_check <= self.run.next_check_on,
        };
        if is_known {
            return self.unchanged();
        }
        let mut decision = self.committed();
        if let Some(run) = &mut decision.run {
            run.next_check_on = next_check;
        }
        decision
    }

    /// There is nothing to commit.
    pub(super) fn unchanged(self) -> Decision {
        Decision { run: None, records: self.records, calls: self.calls }
    }

    pub(super) fn committed(mut self) -> Decision {
        // What was claimed and then ended with its item or the run is not to be executed.
        let is_held = |call: &Call| matches!(self.run.nodes.get(&call.node), Some(NodeState::Running { attempt, .. }) if *attempt == call.attempt);
        self.calls.retain(is_held);
        self.run.revision += 1;
        self.run.next_check_on = self.next_check(self.moment.now + RECHECK);
        Decision { run: Some(self.run), records: self.records, calls: self.calls }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.run.status.is_terminal()
    }

    /// The revision of the commit that this advance leads to.
    pub(super) const fn revision(&self) -> Revision {
        self.run.revision + 1
    }

    /// An attempt that begins and ends with this advance.
    pub(super) fn ended_at_once(&self, node: usize, attempt: Attempt) -> Ended {
        let (started_on, claimed_at) = (self.moment.now, self.revision());
        Ended { node, attempt, started_on, claimed_at, notes: Vec::new() }
    }

    pub(super) fn state(&self, node: usize) -> Option<&NodeState> {
        self.run.nodes.get(self.plan.key(node))
    }

    pub(super) fn is_settled(&self, node: usize) -> bool {
        self.state(node).is_some_and(NodeState::is_settled)
    }

    pub(super) fn key(&self, node: usize) -> NodeKey {
        self.plan.key(node).clone()
    }

    pub(super) fn set(&mut self, node: usize, state: NodeState) {
        let key = self.plan.key(node);
        if state.is_settled() {
            self.run.crashes.remove(key);
            if self.run.children.get(key).is_some_and(|children| children.open.is_empty()) {
                self.run.children.remove(key);
            }
        }
        self.run.nodes.insert(key.clone(), state);
    }

    /// A node never comes to its end. An attempt that is under way stays known by its beginning.
    pub(super) fn cancel(&mut self, node: usize) {
        let abandoned = match self.state(node) {
            Some(
                NodeState::Running { attempt, started_on, claimed_at, .. }
                | NodeState::Waiting { attempt, started_on, claimed_at, .. },
            ) => Some(Abandoned { attempt: *attempt, started_on: *started_on, claimed_at: *claimed_at }),
            _ => None,
        };
        self.set(node, NodeState::Cancelled { settled_at: self.revision(), abandoned });
    }

    /// The attempt of a node that is ready, if it may be claimed now.
    pub(super) fn due(&self, node: usize) -> Option<Attempt> {
        match self.state(node) {
            Some(NodeState::Ready { attempt, not_before })
                if not_before.is_none_or(|start| start <= self.moment.now) =>
            {
                Some(*attempt)
            }
            _ => None,
        }
    }

    /// A run whose nodes all wait for a time or for people waits itself.
    fn open_status(&self) -> RunStatus {
        let waits = |state: &NodeState| {
            matches!(state, NodeState::Waiting { on: Awaited::Time | Awaited::Approval { .. }, .. })
        };
        let mut open = self.run.nodes.values().filter(|state| !state.is_settled()).peekable();
        if open.peek().is_some() && open.all(waits) { RunStatus::Waiting } else { RunStatus::Running }
    }

    /// Fails a run that goes on and on.
    fn bound_steps(&mut self) {
        let settled = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        self.run.steps = self.run.steps.saturating_add(settled);
        let most = self.plan.version().settings.max_steps.unwrap_or(MAX_STEPS);
        if self.manner == Manner::Now && !self.has_ended() && self.run.steps > most {
            let message = format!("the run has made {} steps; {most} is the most", self.run.steps);
            self.end_failed(None, Failure::new(ErrorClass::Permanent, "too_many_steps", message));
        }
    }

    /// When the run must be looked at even if no message comes; by `soon` if there is anything that a worker could do now, or that its end
    /// leaves to do.
    fn next_check(&self, soon: Timestamp) -> Option<Timestamp> {
        if self.has_ended() {
            return effects::is_missed_by_nobody_else(self.plan, &self.run).then_some(soon);
        }
        let now = self.moment.now;
        let checks = self.run.nodes.values().filter_map(|state| match state {
            NodeState::Ready { not_before: Some(start), .. } if *start > now => Some(*start),
            NodeState::Ready { .. } => Some(soon),
            NodeState::Running { lease_until, .. } => Some(*lease_until),
            NodeState::Waiting { until, on: Awaited::Children, .. } => {
                let again = now + RECHECK * PATIENCE_WITH_CHILDREN;
                Some(until.map_or(again, |until| until.min(again)))
            }
            NodeState::Waiting { until, .. } => *until,
            _ => None,
        });
        // Nobody has begun it: what the next worker does is all that is known to come.
        let begins = (self.run.status == RunStatus::Pending).then_some(soon);
        checks.chain(begins).chain(self.run.deadline).min()
    }
}

/// All was done that the end of the run asks for: nobody looks at it any more.
pub(super) fn close(run: &Run) -> Decision {
    let closed = || Run { revision: run.revision + 1, next_check_on: None, ..run.clone() };
    let run = run.next_check_on.is_some().then(closed);
    Decision { run, records: Vec::new(), calls: Vec::new() }
}
