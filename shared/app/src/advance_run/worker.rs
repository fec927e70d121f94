//! One message, from its delivery to its acknowledgement.

use std::{collections::BTreeSet, mem, pin::pin, sync::Arc, time::Duration};

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

/// How often it is tried to commit what a call has come to, while others are under way.
const SETTLE_TRIES: u32 = 4;

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
    let mut message = Message {
        worker,
        hint,
        delivery,
        run,
        under_way: 0,
        executed: BTreeSet::new(),
        let_go: None,
        calls: 0,
        is_handed_over: false,
    };
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
    /// Calls that have begun and not ended.
    under_way: usize,
    /// The nodes whose calls have begun.
    executed: BTreeSet<NodeKey>,
    /// A node that it has claimed and whose call it will not begin.
    let_go: Option<NodeKey>,
    /// Calls that have ended.
    calls: u32,
    /// Whether it has sent the next message of a chunk.
    is_handed_over: bool,
}

impl<'a> Message<'a> {
    /// Advances the run, and executes nodes for as long as there are any and time for them.
    async fn work(&mut self) -> Result<(), AdvanceError> {
        let is_thorough = self.is_thorough();
        if !self.run.may_begin(self.delivery.is_repeat()).await? {
            return Ok(());
        }
        let mut calls = self.begin().await?;
        self.under_way = calls.len();
        calls.extend(self.step(Event::Woken, self.hint.node.clone()).await?);
        self.run.expect_room_of_ended();
        if is_thorough {
            self.run.expect_everything();
        }
        self.dispatch().await?;
        let mut executing: FuturesUnordered<_> = self.beginning(calls).await?.into_iter().collect();
        let mut ended = Vec::new();
        loop {
            self.under_way = executing.len();
            if ended.is_empty() {
                let Some(first) = executing.next().await else { break };
                ended.push(first);
            }
            // What has ended in the meantime shares the commit.
            while let Some(Some(next)) = executing.next().now_or_never() {
                ended.push(next);
            }
            let settling = self.settle(mem::take(&mut ended));
            let calls = while_calls_go_on(settling, &mut executing, &mut ended).await?;
            if self.run.has_ended() {
                // What is still under way is not wanted any more, and ends with its future.
                break;
            }
            let begun = while_calls_go_on(self.beginning(calls), &mut executing, &mut ended).await?;
            executing.extend(begun);
        }
        self.hand_over_chunk().await
    }

    /// Commits what calls have come to, and does what it asks for. A store that fails is tried again, since all other calls of this worker
    /// would be lost with the answer to one.
    async fn settle(&mut self, ended: Vec<Settled>) -> Result<Vec<Call>, AdvanceError> {
        self.calls += u32::try_from(ended.len()).unwrap_or(u32::MAX);
        let event = Event::Settled(ended);
        let mut attempt = 0;
        let calls = loop {
            attempt += 1;
            match self.step(event.clone(), None).await {
                Err(AdvanceError::Store(error)) if attempt < SETTLE_TRIES && self.under_way > 0 => {
                    debug!(run_id = %self.hint.run_id, team_id = %self.hint.team_id, %error, "trying again to commit");
                    let _ = self.run.reload(attempt).await;
                    // If it was written after all, then so were claims that nobody knows of.
                    self.let_go = self.held_by_others();
                }
                settled => break settled?,
            }
        };
        if attempt > 1 {
            // And so was what it asks for.
            self.run.expect_everything();
        }
        self.dispatch().await?;
        Ok(calls)
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
        let under_way = calls.len();
        let turn = move |plan: &Plan, now| time::turn(plan, None, under_way, &delivery, now);
        calls.extend(self.run.settle_children(self.hint.node.as_ref(), turn).await?);
        Ok(calls)
    }

    /// The claimed calls, about to begin. Whoever cancels a run relies on that a call begins soon after its claim, so that claims that have
    /// grown old are renewed first. One that could not be, or that nobody wants any more, is let go: its lease ends.
    async fn beginning(
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
            } else if self.holds(&call).is_some() {
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
    fn held_by_others(&self) -> Option<NodeKey> {
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
        let (delivery, under_way) = (*self.delivery, self.under_way);
        let turn = |plan: &Plan, now| time::turn(plan, prefer.clone(), under_way, &delivery, now);
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
        let hints = self.run.hints;
        self.run.expect_claims();
        self.run.dispatch().await?;
        self.is_handed_over = self.run.hints > hints;
        Ok(())
    }

    /// Sends a hint for the time when work that others hold would be free, if this message must look after it. It names a node: one that
    /// does not would ask for everything again, each time more of them.
    async fn look_after_others(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let now = self.worker.conductor.clock.now();
        let Some((node, then)) = self.left_to_others(now) else { return Ok(None) };
        let delay = time::delay_s(then, now).min(time::MAX_DELAY_S);
        self.run.send(vec![(Hint { node, ..self.hint.clone() }, delay)]).await?;
        Ok(Some(then.max(now)))
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
async fn while_calls_go_on<T>(
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

const fn outcome_of(record: &StepRecord) -> StepOutcome {
    match (record.retried, &record.output) {
        (true, _) => StepOutcome::Retried,
        (false, Some(_)) => StepOutcome::Succeeded,
        (false, None) => StepOutcome::Failed,
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
