//! The calls of one message: how they begin, and how they are executed.

use std::{pin::pin, sync::Arc, time::Duration};

use domain::{ErrorClass, Failure, NodeKey, Timestamp};
use engine::{Call, Event, NodeState, Run, Settled};
use futures::{StreamExt as _, stream::FuturesUnordered};
use tracing::debug;

use super::{
    AdvanceError, time,
    worker::{Message, Worker},
};
use crate::ports::Executed;

/// How often a worker looks whether the run of a call that it executes still wants it.
const LOOK: Duration = Duration::from_secs(5);

impl<'a> Message<'a> {
    /// The claimed calls, about to begin. Whoever cancels a run relies on that a call begins soon after its claim, so that claims that have
    /// grown old are renewed first. One that could not be, or that nobody wants any more, is let go: its lease ends.
    pub(super) async fn beginning(
        &mut self,
        calls: Vec<Call>,
    ) -> Result<Vec<impl Future<Output = Settled> + use<'a>>, AdvanceError> {
        let late = calls.iter().filter(|call| self.is_late(call));
        let late: Vec<_> = late.map(|call| (call.node.clone(), call.attempt)).collect();
        if !late.is_empty() {
            self.step(Event::Renewed(late), None).await?;
        }
        // From here on nothing is awaited, so that all of them begin now.
        let mut beginning = Vec::with_capacity(calls.len());
        for call in calls {
            if self.holds(&call).is_some() && !self.is_late(&call) {
                self.executed.insert(call.node.clone());
                beginning.push(self.worker.execute(self.run.run(), call));
                continue;
            }
            self.run.under_way = self.run.under_way.saturating_sub(1);
            if self.holds(&call).is_some() {
                self.let_go = Some(call.node);
            }
        }
        Ok(beginning)
    }

    /// Whether the claim of a call is held, but so old that the call must not begin.
    fn is_late(&self, call: &Call) -> bool {
        let now = self.worker.conductor.clock.now();
        self.holds(call).is_some_and(|claimed_on| now - claimed_on > time::BEGINS_WITHIN)
    }

    /// A claimed node whose call this worker has not begun.
    pub(super) fn held_by_others(&self) -> Option<NodeKey> {
        let is_running = |state: &NodeState| matches!(state, NodeState::Running { .. });
        let mut nodes = self.run.run().nodes.iter();
        let held = nodes.find(|(node, state)| is_running(state) && !self.executed.contains(*node));
        held.map(|(node, _)| node.clone())
    }

    /// Since when the claim of a call is held.
    fn holds(&self, call: &Call) -> Option<Timestamp> {
        match self.run.run().nodes.get(&call.node)? {
            NodeState::Running { attempt, started_on, .. } if *attempt == call.attempt => Some(*started_on),
            _ => None,
        }
    }
}

impl Worker {
    /// Executes a claimed call, until it ends or its run no longer wants it. Connectors keep their budget; should one not, it is cut off
    /// while the claim still holds.
    fn execute(&self, run: &Run, call: Call) -> impl Future<Output = Settled> + use<'_> {
        let now = self.conductor.clock.now();
        let budget = match run.nodes.get(&call.node) {
            Some(NodeState::Running { lease_until, .. }) => time::budget(&call, *lease_until, now),
            _ => Duration::from_secs(u64::from(call.timeout_s)),
        };
        async move {
            debug!(run_id = %call.run_id, team_id = %call.team_id, node = %call.node, attempt = call.attempt, "executing {}", call.node);
            let executing = self.connectors.execute(&call, budget);
            let executing = tokio::time::timeout(budget + Duration::from_secs(1), executing);
            let Executed { outcome, notes } = tokio::select! {
                biased; // what was done counts before what is unwanted, and chance has no part in it
                executed = executing => executed.unwrap_or_else(|_| failed("timeout", format!("no answer within {} s", budget.as_secs()))),
                () = self.unwanted(&call) => failed("unwanted", "the run went on without it".to_owned()),
            };
            Settled { node: call.node, attempt: call.attempt, outcome: outcome.map(Arc::new), notes }
        }
    }

    /// Returns when the run has ended or has given the call's node up; looking costs one read now and then, and none for what is quick.
    async fn unwanted(&self, call: &Call) {
        loop {
            self.ends.ended(call.run_id, LOOK).await;
            let Ok(run) = self.conductor.store.load_control(call.team_id, call.run_id).await else {
                continue;
            };
            let is_held = matches!(run.nodes.get(&call.node), Some(NodeState::Running { attempt, .. }) if *attempt == call.attempt);
            if !is_held {
                return;
            }
        }
    }
}

/// Awaits `work`, and meanwhile what is executing: connections go on, and timeouts hold however long a store takes. What ends is added to
/// `ended`.
pub(super) async fn while_calls_go_on<T>(
    work: impl Future<Output = T>,
    executing: &mut FuturesUnordered<impl Future<Output = Settled>>,
    ended: &mut Vec<Settled>,
) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased; // chance has no part in it
            done = &mut work => return done,
            Some(settled) = executing.next() => ended.push(settled),
        }
    }
}

fn failed(code: &str, message: String) -> Executed {
    Executed { outcome: Err(Failure::new(ErrorClass::Transient, code, message)), notes: Vec::new() }
}
