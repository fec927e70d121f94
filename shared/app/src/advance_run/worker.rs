//! One message, from its delivery to its acknowledgement.

use std::{sync::Arc, time::Duration};

use domain::{ErrorClass, Failure, NodeKey, Timestamp};
use engine::{Call, Event, NodeState, Plan, Run, Settled, StepRecord};
use futures::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use tracing::{debug, warn};

use super::{AdvanceError, Advanced, Delivery, StepOutcome, time};
use crate::{
    conductor::{Conductor, Held},
    ports::{Connectors, Executed, Hint, RunEnds, StoreError},
};

/// How often a worker looks whether the run of a call that it executes still wants it.
const LOOK: Duration = Duration::from_secs(5);

/// How often it is tried to take the count of a delivery back, while a store fails.
const EXCUSES: u32 = 5;

/// A process that moves runs on and executes their nodes. Built once and shared by all its messages.
pub struct Worker {
    conductor: Arc<Conductor>,
    connectors: Arc<dyn Connectors>,
    ends: Arc<dyn RunEnds>,
}

impl Worker {
    /// A worker on these ports. `ends` tells it sooner that a run was cancelled while it executes a node of it.
    pub fn new(conductor: Arc<Conductor>, connectors: Arc<dyn Connectors>, ends: Arc<dyn RunEnds>) -> Self {
        Self { conductor, connectors, ends }
    }
}

/// Does what there is to do for a run, within one invocation. An answer means that the message may be acknowledged; an error
/// that it must come back.
pub async fn advance_run(
    worker: &Worker,
    hint: &Hint,
    delivery: &Delivery,
) -> Result<Advanced, AdvanceError> {
    let run = match Held::load(&worker.conductor, hint.team_id, hint.run_id).await {
        Err(AdvanceError::Store(StoreError::NotFound)) => {
            warn!(run_id = %hint.run_id, team_id = %hint.team_id, "a hint names a run that does not exist, dropping it");
            return Ok(Advanced::default());
        }
        loaded => loaded?,
    };
    let had_ended = run.has_ended();
    let mut message = Message { worker, hint, delivery, run, calls: 0 };
    let outcome = message.work().await;
    message.excuse(outcome.is_ok()).await;
    outcome?;
    let comes_back_on = message.look_after_others().await?;
    Ok(message.done(had_ended, comes_back_on))
}

/// A message in work.
struct Message<'a> {
    worker: &'a Worker,
    hint: &'a Hint,
    delivery: &'a Delivery,
    run: Held<'a>,
    calls: u32,
}

impl<'a> Message<'a> {
    /// Advances the run, and executes nodes for as long as there are any and time for them.
    async fn work(&mut self) -> Result<(), AdvanceError> {
        let is_thorough = self.is_thorough();
        if !self.run.may_begin(self.delivery.is_repeat()).await? {
            return Ok(());
        }
        let mut calls = self.begin().await?;
        calls.extend(self.step(Event::Woken, self.hint.node.clone()).await?);
        self.run.expect_room_of_ended();
        if is_thorough {
            self.run.expect_everything();
        }
        self.dispatch().await?;
        let mut executing: FuturesUnordered<_> = self.beginning(calls).await?.into_iter().collect();
        while let Some(first) = executing.next().await {
            // What has ended in the meantime shares the commit.
            let mut settled = vec![first];
            while let Some(Some(next)) = executing.next().now_or_never() {
                settled.push(next);
            }
            self.calls += u32::try_from(settled.len()).unwrap_or(u32::MAX);
            let calls = self.step(Event::Settled(settled), None).await?;
            self.dispatch().await?;
            executing.extend(self.beginning(calls).await?);
        }
        self.hand_over_chunk().await
    }

    /// What comes before the run is looked at itself: a lost delivery is counted, a child that nobody waits for ends, a retry takes over
    /// what it goes on from, and what children have come to is taken in.
    async fn begin(&mut self) -> Result<Vec<Call>, AdvanceError> {
        if self.delivery.is_repeat() {
            let message = self.delivery.message.to_string();
            self.step(Event::Redelivered { message }, None).await?;
        }
        if self.run.is_orphan().await? {
            self.step(Event::CancelRequested, None).await?;
        }
        let mut calls = Vec::new();
        if let Some(resumed) = self.run.inheritance().await? {
            calls.extend(self.step(resumed, None).await?);
        }
        let delivery = *self.delivery;
        let turn = move |plan: &Plan, now| time::turn(plan, None, &delivery, now);
        calls.extend(self.run.settle_children(self.hint.node.as_ref(), turn).await?);
        Ok(calls)
    }

    /// The claimed calls, about to begin. Whoever cancels a run relies on that a call begins soon after its claim, so that a claim that has
    /// grown old is renewed first. One that could not be, or that nobody wants any more, is let go: its lease ends.
    async fn beginning(
        &mut self,
        calls: Vec<Call>,
    ) -> Result<Vec<impl Future<Output = Settled> + use<'a>>, AdvanceError> {
        let mut beginning = Vec::with_capacity(calls.len());
        for call in calls {
            if self.is_late(&call) {
                let renewed = Event::Renewed { node: call.node.clone(), attempt: call.attempt };
                self.step(renewed, None).await?;
            }
            if self.holds(&call).is_some() && !self.is_late(&call) {
                beginning.push(self.worker.execute(self.run.run(), call));
            }
        }
        Ok(beginning)
    }

    /// Whether the claim of a call is held, but so old that the call must not begin.
    fn is_late(&self, call: &Call) -> bool {
        let now = self.worker.conductor.clock.now();
        self.holds(call).is_some_and(|claimed_on| now - claimed_on > time::BEGINS_WITHIN)
    }

    /// Since when the claim of a call is held.
    fn holds(&self, call: &Call) -> Option<Timestamp> {
        match self.run.run().nodes.get(&call.node)? {
            NodeState::Running { attempt, started_on, .. } if *attempt == call.attempt => Some(*started_on),
            _ => None,
        }
    }

    /// Takes back that this delivery was counted as lost, if no commit did: it found nothing to do, or comes back because of a store, and
    /// neither is a fault of the run. If that can't be written, the count stands. `is_known` says that the run is as it is held here: a
    /// commit that failed may have been written.
    async fn excuse(&mut self, mut is_known: bool) {
        if !self.delivery.is_repeat() {
            return;
        }
        let message = self.delivery.message.to_string();
        for attempt in 1..=EXCUSES {
            if !is_known && self.run.reload(attempt).await.is_err() {
                continue;
            }
            let is_counted = self.run.run().lost_deliveries.contains_key(&message);
            if !is_counted || self.step(Event::Excused { message: message.clone() }, None).await.is_ok() {
                return;
            }
            is_known = false;
        }
    }

    /// Whether everything that the state asks for is to be asked for again: a lost worker may have committed and not dispatched. That
    /// is so after a crash, and when somebody reminds of a run that goes on already.
    fn is_thorough(&self) -> bool {
        let is_reminder = self.hint.node.is_none() && self.run.run().revision > 0;
        self.delivery.is_repeat() || is_reminder
    }

    /// Applies one event; what is claimed with it is the caller's.
    async fn step(&mut self, event: Event, prefer: Option<NodeKey>) -> Result<Vec<Call>, AdvanceError> {
        let delivery = *self.delivery;
        let turn = |plan: &Plan, now| time::turn(plan, prefer.clone(), &delivery, now);
        match self.run.apply(event, turn).await? {
            Ok(calls) => Ok(calls),
            Err(rejected) => {
                let run = self.run.run();
                debug!(run_id = %run.id, team_id = %run.team_id, "nothing to do: {rejected}");
                Ok(Vec::new())
            }
        }
    }

    /// Does what the commits ask for. What is ready in a chunk waits for this worker's own hands.
    async fn dispatch(&mut self) -> Result<(), AdvanceError> {
        if self.run.plan.is_chunk() {
            self.run.keep_claims();
        }
        self.run.dispatch().await
    }

    /// Sends the next message of a chunk that this worker leaves with something to do.
    async fn hand_over_chunk(&mut self) -> Result<(), AdvanceError> {
        if !self.run.plan.is_chunk() || self.run.has_ended() {
            return Ok(());
        }
        self.run.expect_claims();
        self.run.dispatch().await
    }

    /// Sends the hint again for the time when work that others hold would be free, if this message must look after it: always
    /// after a crash, because it was this message that guarded the lost worker's claim; else when it found nothing to do.
    async fn look_after_others(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let now = self.worker.conductor.clock.now();
        let run = self.run.run();
        let has_claims =
            || run.nodes.values().any(|state| matches!(state, NodeState::Ready { not_before: None, .. }));
        let (node, then) = if self.delivery.is_repeat() {
            (None, engine::live_leases(run, now))
        } else if self.calls > 0 {
            (None, None)
        } else if let Some(key) = &self.hint.node {
            (Some(key.clone()), free_on(run.nodes.get(key)))
        } else if !self.run.commits.is_empty() {
            (None, None)
        } else if has_claims() {
            (None, Some(now))
        } else {
            (None, engine::live_leases(run, now))
        };
        let Some(then) = then else { return Ok(None) };
        let delay = time::delay_s(then, now).min(time::MAX_DELAY_S);
        self.run.send(vec![(Hint { node, ..self.hint.clone() }, delay)]).await?;
        Ok(Some(then.max(now)))
    }

    /// What the message came to.
    fn done(self, had_ended: bool, comes_back_on: Option<Timestamp>) -> Advanced {
        let mut done = Advanced {
            commits: u32::try_from(self.run.commits.len()).unwrap_or(u32::MAX),
            hints: self.run.hints,
            calls: self.calls,
            comes_back_on,
            ..Advanced::default()
        };
        for record in self.run.commits.iter().flatten() {
            let node_type = self.run.plan.node(&record.node).map_or("unknown", |node| &node.node_type);
            *done.steps.entry((node_type.to_owned(), outcome_of(record))).or_default() += 1;
        }
        if !had_ended && self.run.has_ended() {
            done.run_ended = Some(self.run.run().status);
        }
        done
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
            Settled { node: call.node, attempt: call.attempt, outcome, notes }
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

fn failed(code: &str, message: String) -> Executed {
    Executed { outcome: Err(Failure::new(ErrorClass::Transient, code, message)), notes: Vec::new() }
}

const fn outcome_of(record: &StepRecord) -> StepOutcome {
    match (record.retried, &record.output) {
        (true, _) => StepOutcome::Retried,
        (false, Some(_)) => StepOutcome::Succeeded,
        (false, None) => StepOutcome::Failed,
    }
}

/// From when on a node may be claimed, in the past if it may be now; None if it never will.
fn free_on(state: Option<&NodeState>) -> Option<Timestamp> {
    match state? {
        NodeState::Running { lease_until, .. } => Some(*lease_until),
        NodeState::Ready { not_before, .. } => Some(not_before.unwrap_or_default()),
        _ => None,
    }
}
