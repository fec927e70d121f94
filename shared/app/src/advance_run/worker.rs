//! One message, from its delivery to its acknowledgement.

use std::{collections::BTreeSet, mem, sync::Arc};

use domain::{NodeKey, Timestamp};
use engine::{Call, Event, Plan, Settled, StepRecord};
use futures::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use tracing::{debug, warn};

use super::{AdvanceError, Advanced, Delivery, StepOutcome, calls::while_calls_go_on, time};
use crate::{
    conductor::{Conductor, Held},
    ports::{Connectors, Hint, RunEnds, StoreError},
};

/// How often it is tried to commit what a call has come to.
const SETTLE_TRIES: u32 = 4;

/// How often it is tried to take the count of a delivery back, while a store fails.
const EXCUSES: u32 = 5;

/// A process that moves runs on and executes their nodes. Built once and shared by all its messages.
pub struct Worker {
    pub(super) conductor: Arc<Conductor>,
    pub(super) connectors: Arc<dyn Connectors>,
    pub(super) ends: Arc<dyn RunEnds>,
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
    let now = worker.conductor.clock.now();
    let due: BTreeSet<_> = run.run().due(now).cloned().collect();
    let mut message = Message {
        worker,
        hint,
        delivery,
        run,
        executed: BTreeSet::new(),
        let_go: None,
        calls: 0,
        is_handed_over: false,
        found_ready: !due.is_empty(),
        is_in_charge: delivery.is_repeat() || hint.node.as_ref().is_none_or(|node| due.contains(node)),
    };
    message.run.claims_for(delivery);
    // Boxed: it is large, and every future that this one is a part of would be.
    let outcome = Box::pin(message.work()).await;
    message.run.give_back_slots().await;
    message.excuse(outcome.is_ok()).await;
    outcome?;
    let comes_back_on = message.look_after_others().await?;
    Ok(message.done(had_ended, comes_back_on))
}

/// A message in work.
pub(super) struct Message<'a> {
    pub(super) worker: &'a Worker,
    pub(super) hint: &'a Hint,
    pub(super) delivery: &'a Delivery,
    pub(super) run: Held<'a>,
    /// The nodes whose calls have begun.
    pub(super) executed: BTreeSet<NodeKey>,
    /// A node that it has claimed and whose call it will not begin.
    pub(super) let_go: Option<NodeKey>,
    /// Calls that have ended.
    pub(super) calls: u32,
    /// Whether it has sent the next message of a chunk.
    pub(super) is_handed_over: bool,
    /// Whether a node was ready when it came: somebody is in charge of the run then.
    pub(super) found_ready: bool,
    /// Whether it is in charge of what it leaves ready, of a run whose calls need slots.
    pub(super) is_in_charge: bool,
}

impl Message<'_> {
    /// Advances the run, and executes nodes for as long as there are any and time for them.
    async fn work(&mut self) -> Result<(), AdvanceError> {
        let is_thorough = self.is_thorough();
        if !self.run.may_begin(self.delivery.is_repeat()).await? {
            return Ok(());
        }
        let mut calls = self.begin().await?;
        self.run.under_way = calls.len();
        calls.extend(self.step(Event::Woken, self.hint.node.clone()).await?);
        self.run.expect_room_of_ended();
        if is_thorough {
            self.run.expect_everything();
        }
        self.dispatch().await?;
        let mut executing: FuturesUnordered<_> = self.beginning(calls).await?.into_iter().collect();
        let mut ended = Vec::new();
        loop {
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

    /// Commits what calls have come to, and does what it asks for. A store that fails is tried again, since they, and all other calls of this
    /// worker, would be lost with the answer.
    async fn settle(&mut self, ended: Vec<Settled>) -> Result<Vec<Call>, AdvanceError> {
        self.calls += u32::try_from(ended.len()).unwrap_or(u32::MAX);
        self.run.under_way = self.run.under_way.saturating_sub(ended.len());
        let event = Event::Settled(ended);
        let mut attempt = 0;
        let calls = loop {
            attempt += 1;
            match self.step(event.clone(), None).await {
                Err(AdvanceError::Store(error)) if attempt < SETTLE_TRIES => {
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
        let (delivery, under_way) = (*self.delivery, self.run.under_way);
        let turn = move |plan: &Plan, now| time::turn(plan, None, under_way, &delivery, now);
        calls.extend(self.run.settle_children(self.hint.node.as_ref(), turn).await?);
        Ok(calls)
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
    pub(super) async fn step(
        &mut self,
        event: Event,
        prefer: Option<NodeKey>,
    ) -> Result<Vec<Call>, AdvanceError> {
        let (delivery, under_way) = (*self.delivery, self.run.under_way);
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

    /// Does what the commits ask for. What is ready in a chunk waits for this worker's own hands, and so does what needs slots.
    async fn dispatch(&mut self) -> Result<(), AdvanceError> {
        if self.run.is_limited() {
            let is_new = self.run.keep_claims_of_now();
            self.is_in_charge |= is_new && !self.found_ready;
            if !self.run.plan.is_chunk() {
                self.run.call_another(is_new).await?;
            }
            self.run.give_back_idle_slots().await;
        }
        if self.run.plan.is_chunk() {
            self.run.keep_claims();
        }
        self.run.dispatch().await
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

const fn outcome_of(record: &StepRecord) -> StepOutcome {
    match (record.retried, &record.output) {
        (true, _) => StepOutcome::Retried,
        (false, Some(_)) => StepOutcome::Succeeded,
        (false, None) => StepOutcome::Failed,
    }
}
