//! The state that one advance works on, from the event to the decision.

use domain::RunStatus;

use super::{Decision, Moment, settle::Ended};
use crate::{Attempt, Call, NodeState, Plan, Revision, Run, StepRecord, Values, run::RECHECK};

/// A run on its way to its next state. Nodes are named by their place in plan order.
pub(super) struct Transition<'a> {
    pub(super) plan: &'a Plan,
    pub(super) moment: &'a Moment,
    /// The next control state.
    pub(super) run: Run,
    /// The stored values, and those that this advance adds.
    pub(super) values: Values,
    pub(super) records: Vec<StepRecord>,
    pub(super) call: Option<Call>,
}

impl<'a> Transition<'a> {
    pub(super) fn new(plan: &'a Plan, run: &Run, values: &Values, moment: &'a Moment) -> Self {
        Self { plan, moment, run: run.clone(), values: values.clone(), records: Vec::new(), call: None }
    }

    /// Takes the run as far as it goes without the outside world.
    pub(super) fn proceed(&mut self) {
        if self.run.status == RunStatus::Pending {
            self.run.status = RunStatus::Running;
            self.run.started_on = Some(self.moment.now);
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
        if self.run == *before {
            return Decision { run: None, records: self.records, call: self.call };
        }
        self.run.revision += 1;
        self.run.next_check_on = self.next_check();
        Decision { run: Some(self.run), records: self.records, call: self.call }
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

    pub(super) fn has_ended(&self) -> bool {
        self.run.status.is_terminal()
    }

    pub(super) fn state(&self, node: usize) -> Option<&NodeState> {
        self.run.nodes.get(&self.plan.nodes()[node].key)
    }

    pub(super) fn set(&mut self, node: usize, state: NodeState) {
        let key = &self.plan.nodes()[node].key;
        if state.is_settled() {
            self.run.crashes.remove(key);
        }
        self.run.nodes.insert(key.clone(), state);
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

    /// When the run must be looked at even if no message comes.
    fn next_check(&self) -> Option<domain::Timestamp> {
        if self.has_ended() {
            return None;
        }
        let now = self.moment.now;
        let checks = self.run.nodes.values().filter_map(|state| match state {
            NodeState::Ready { not_before: Some(start), .. } if *start > now => Some(*start),
            NodeState::Ready { .. } => Some(now + RECHECK),
            NodeState::Running { lease_until, .. } => Some(*lease_until),
            _ => None,
        });
        checks.min()
    }
}
