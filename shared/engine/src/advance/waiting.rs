//! Nodes that wait: how they begin to, and what becomes of them when their time has come.

use chrono::TimeDelta;
use domain::{ErrorClass, Failure, Timestamp};

use super::{settle::Ended, transition::Transition};
use crate::{
    Awaited, NodeState, flow,
    nodes::{Control, Output, approval, wait},
};

impl Transition<'_> {
    /// A node that became ready begins to wait, or ends at once if its metadata can't be evaluated or there is nothing to wait for.
    pub(super) fn begin_waiting(&mut self, node: usize, control: Control) {
        let began = match control {
            Control::Wait => self.begin_wait(node),
            Control::Approval => self.begin_approval(node),
            Control::Workflow => self.begin_workflow(node),
            Control::ForEach => self.begin_for_each(node),
        };
        match began {
            Ok(Began::Waits { on, until }) => {
                let (started_on, claimed_at) = (self.moment.now, self.revision());
                self.set(node, NodeState::Waiting { attempt: 1, started_on, until, claimed_at, on });
            }
            Ok(Began::Ended(output)) => self.settle(self.ended_at_once(node, 1), Ok(output)),
            Err(failure) => self.settle(self.ended_at_once(node, 1), Err(failure)),
        }
    }

    fn begin_wait(&self, node: usize) -> Result<Began, Failure> {
        let now = self.moment.now;
        let metadata = &self.plan.at(node).metadata;
        let until = self.with_context(node, |context| wait::until(metadata, context, now))?;
        if until <= now {
            return Ok(Began::Ended(self.input(node)));
        }
        Ok(Began::Waits { on: Awaited::Time, until: Some(until) })
    }

    fn begin_approval(&self, node: usize) -> Result<Began, Failure> {
        let metadata = &self.plan.at(node).metadata;
        let title = self.with_context(node, |context| approval::title(metadata, context))?;
        let until =
            approval::timeout_s(metadata).map(|seconds| self.moment.now + TimeDelta::seconds(seconds));
        Ok(Began::Waits { on: Awaited::Approval { title, votes: Vec::new() }, until })
    }

    /// Claims whose lease has ended, waits whose time has come, and the deadline of the run itself.
    pub(super) fn look_at_the_clock(&mut self) {
        let now = self.moment.now;
        if let Some(deadline) = self.run.deadline.filter(|deadline| *deadline <= now) {
            let message = format!("the run has not ended by its deadline, {deadline}");
            return self.end_failed(None, Failure::new(ErrorClass::Permanent, "deadline", message));
        }
        for node in 0..self.plan.len() {
            if self.has_ended() {
                return;
            }
            match self.state(node) {
                Some(NodeState::Running { lease_until, .. }) if *lease_until <= now => self.give_up(node),
                Some(NodeState::Waiting { until: Some(until), .. }) if *until <= now => self.time_is_up(node),
                _ => {}
            }
        }
    }

    fn time_is_up(&mut self, node: usize) {
        let Some((ended, on)) = self.waiting(node) else { return };
        let late = |message: &str| Err(Failure::new(ErrorClass::Permanent, "timeout", message));
        let outcome = match on {
            Awaited::Time => Ok(self.input(node)),
            Awaited::Approval { votes, .. } => approval::on_timeout(&self.plan.at(node).metadata, &votes)
                .map_or_else(|| late("nobody decided in time"), Ok),
            Awaited::Children => late("what it runs has not ended in time"),
        };
        self.settle(ended, outcome);
    }

    /// The wait that a node is in, as it ends.
    pub(super) fn waiting(&self, node: usize) -> Option<(Ended, Awaited)> {
        match self.state(node)? {
            NodeState::Waiting { attempt, started_on, claimed_at, on, .. } => {
                let (attempt, started_on, claimed_at) = (*attempt, *started_on, *claimed_at);
                Some((Ended { node, attempt, started_on, claimed_at, notes: Vec::new() }, on.clone()))
            }
            _ => None,
        }
    }

    fn input(&self, node: usize) -> Output {
        flow::input(self.plan, &self.run, &self.values, node).into_owned().into()
    }
}

/// How a wait begins.
pub(super) enum Began {
    /// There is something to wait for.
    Waits {
        /// What.
        on: Awaited,
        /// For how long at most.
        until: Option<Timestamp>,
    },
    /// There is nothing to wait for.
    Ended(Output),
}
