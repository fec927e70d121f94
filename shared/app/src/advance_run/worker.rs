//! One message, from its delivery to its acknowledgement.

use std::{sync::Arc, time::Duration};

use domain::{ErrorClass, Failure, NodeKey, TeamId, Timestamp, VersionId};
use engine::{Call, Effect, Event, Moment, NodeState, Plan, Run, StepRecord};
use tracing::{debug, info, warn};

use super::{AdvanceError, Advanced, Delivery, StepOutcome, time};
use crate::{
    cache::Cache,
    ports::{Chance, Clock, Connectors, Executed, Hint, LoadedRun, RunStore, StepQueue, StoreError},
};

/// How often a decision is made again because another worker committed first.
pub const CONFLICT_TRIES: u32 = 30;

/// Plans kept in a process; a busy worker serves few versions at a time.
const PLANS: usize = 64;

/// The longest delay that a hint can have (SQS). A longer wait sends itself again.
const MAX_DELAY_S: u32 = 900;

/// A process that moves runs on. Built once and shared by all its messages.
pub struct Worker {
    store: Arc<dyn RunStore>,
    queue: Arc<dyn StepQueue>,
    connectors: Arc<dyn Connectors>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    plans: Cache<VersionId, Plan>,
}

impl Worker {
    /// A worker on these ports.
    pub fn new(
        store: Arc<dyn RunStore>,
        queue: Arc<dyn StepQueue>,
        connectors: Arc<dyn Connectors>,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> Self {
        Self { store, queue, connectors, clock, chance, plans: Cache::new(PLANS) }
    }

    async fn plan(&self, team: TeamId, version: VersionId) -> Result<Plan, AdvanceError> {
        if let Some(plan) = self.plans.get(&version) {
            return Ok(plan);
        }
        let plan = plan_of(&*self.store, team, version).await?;
        self.plans.insert(version, plan.clone());
        Ok(plan)
    }
}

/// Reads and compiles a version.
pub(crate) async fn plan_of(store: &dyn RunStore, team: TeamId, id: VersionId) -> Result<Plan, AdvanceError> {
    let version = store.version(team, id).await.map_err(|error| match error {
        StoreError::NotFound => AdvanceError::VersionMissing(id),
        other => other.into(),
    })?;
    engine::compile(version).map_err(|violations| AdvanceError::VersionInvalid { id, violations })
}

/// Does what there is to do for a run, within one invocation. An answer means that the message may be acknowledged; an error
/// that it must come back.
pub async fn advance_run(
    worker: &Worker,
    hint: &Hint,
    delivery: &Delivery,
) -> Result<Advanced, AdvanceError> {
    let run = match worker.store.load(hint.team_id, hint.run_id).await {
        Err(StoreError::NotFound) => {
            warn!(run_id = %hint.run_id, team_id = %hint.team_id, "a hint names a run that does not exist, dropping it");
            return Ok(Advanced::default());
        }
        loaded => loaded?,
    };
    let plan = worker.plan(hint.team_id, run.run.version_id).await?;
    let mut message = Message { worker, hint, delivery, plan, run, done: Advanced::default() };
    message.work().await?;
    message.look_after_others().await?;
    Ok(message.done)
}

/// A message in work.
struct Message<'a> {
    worker: &'a Worker,
    hint: &'a Hint,
    delivery: &'a Delivery,
    plan: Plan,
    run: LoadedRun,
    done: Advanced,
}

/// What a commit leaves to do.
#[derive(Default)]
struct Step {
    /// The attempt that this worker claimed with it.
    call: Option<Call>,
    /// The nodes that it made ready for others.
    ready: Vec<Effect>,
}

impl Message<'_> {
    /// Advances the run, and executes one node after the other for as long as there is one and time for it.
    async fn work(&mut self) -> Result<(), AdvanceError> {
        let first = self.step(Event::Woken, self.hint.node.clone()).await?;
        // A lost worker may have committed and not dispatched, so then whatever is ready gets its hint again.
        let is_repeat = self.delivery.is_repeat();
        let ready = if is_repeat { engine::effects(&self.plan, &self.run.run) } else { first.ready };
        self.dispatch(ready).await?;
        let mut next = first.call;
        while let Some(call) = next {
            let Executed { outcome, notes } = self.execute(&call).await;
            let settled = Event::Settled { node: call.node, attempt: call.attempt, outcome, notes };
            let step = self.step(settled, None).await?;
            self.dispatch(step.ready).await?;
            next = step.call;
        }
        Ok(())
    }

    /// Applies one event: decides and commits. When another worker commits first, decides again on what that one left.
    async fn step(&mut self, event: Event, prefer: Option<NodeKey>) -> Result<Step, AdvanceError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let now = self.worker.clock.now();
            let turn = time::turn(&self.plan, prefer.clone(), self.delivery, now);
            let moment = Moment { now, jitter: self.worker.chance.draw(), turn };
            let LoadedRun { run, values, .. } = &self.run;
            let decision = match engine::advance(&self.plan, run, values, event.clone(), &moment) {
                Ok(decision) => decision,
                Err(rejected) => {
                    debug!(run_id = %run.id, team_id = %run.team_id, "nothing to do: {rejected}");
                    return Ok(Step::default());
                }
            };
            let Some(next) = decision.run else { return Ok(Step::default()) };
            match self.worker.store.commit(&next, &decision.records).await {
                Ok(()) => {
                    let ready = engine::newly_ready(run, &next);
                    self.committed(next, decision.records);
                    return Ok(Step { call: decision.call, ready });
                }
                Err(StoreError::Conflict) if attempt < CONFLICT_TRIES => self.reload(attempt).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits a little, longer and more randomly the more often it was in vain, and reads the run again.
    async fn reload(&mut self, attempt: u32) -> Result<(), StoreError> {
        let most = Duration::from_millis(5 << attempt.min(6));
        tokio::time::sleep(most.mul_f64(self.worker.chance.draw())).await;
        self.run = self.worker.store.load(self.hint.team_id, self.hint.run_id).await?;
        Ok(())
    }

    /// Takes over what was just committed.
    fn committed(&mut self, next: Run, records: Vec<StepRecord>) {
        self.done.commits += 1;
        for record in &records {
            let node_type = self.plan.node(&record.node).map_or("unknown", |node| &node.node_type);
            let outcome = match (record.retried, &record.output) {
                (true, _) => StepOutcome::Retried,
                (false, Some(_)) => StepOutcome::Succeeded,
                (false, None) => StepOutcome::Failed,
            };
            *self.done.steps.entry((node_type.to_owned(), outcome)).or_default() += 1;
        }
        if next.status.is_terminal() {
            self.done.run_ended = Some(next.status);
            info!(run_id = %next.id, team_id = %next.team_id, status = next.status.as_str(), "run {} ended", next.id);
        }
        self.run.move_on(next, records);
    }

    /// Sends a hint for each node, to be delivered when the node may be claimed.
    async fn dispatch(&mut self, effects: Vec<Effect>) -> Result<(), StoreError> {
        let now = self.worker.clock.now();
        let hints = effects.into_iter().map(|effect| {
            let delay = effect.not_before.map_or(0, |then| time::delay_s(then, now));
            (Hint { node: Some(effect.node), ..self.hint.clone() }, delay.min(MAX_DELAY_S))
        });
        self.send(hints.collect()).await
    }

    async fn send(&mut self, hints: Vec<(Hint, u32)>) -> Result<(), StoreError> {
        if hints.is_empty() {
            return Ok(());
        }
        self.worker.queue.send(&hints).await?;
        self.done.hints += u32::try_from(hints.len()).unwrap_or(u32::MAX);
        Ok(())
    }

    /// Executes a claimed call. Connectors keep their budget; should one not, it is cut off while the claim still holds.
    async fn execute(&mut self, call: &Call) -> Executed {
        self.done.calls += 1;
        let now = self.worker.clock.now();
        let budget = match self.run.run.nodes.get(&call.node) {
            Some(NodeState::Running { lease_until, .. }) => time::budget(call, *lease_until, now),
            _ => Duration::from_secs(u64::from(call.timeout_s)),
        };
        debug!(run_id = %call.run_id, team_id = %call.team_id, node = %call.node, attempt = call.attempt, "executing {}", call.node);
        let executing = self.worker.connectors.execute(call, budget);
        tokio::time::timeout(budget + Duration::from_secs(1), executing).await.unwrap_or_else(|_| Executed {
            outcome: Err(Failure::new(
                ErrorClass::Transient,
                "timeout",
                format!("no answer within {} s", budget.as_secs()),
            )),
            notes: Vec::new(),
        })
    }

    /// Sends the hint again for the time when work that others hold would be free, if this message must look after it: always
    /// after a crash, because it was this message that guarded the lost worker's claim; else when it found nothing to do.
    async fn look_after_others(&mut self) -> Result<(), StoreError> {
        let now = self.worker.clock.now();
        let run = &self.run.run;
        let (node, then) = if self.delivery.is_repeat() {
            (None, engine::live_leases(run, now))
        } else if self.done.calls > 0 {
            (None, None)
        } else if let Some(key) = &self.hint.node {
            (Some(key.clone()), free_on(run.nodes.get(key)))
        } else if self.done.commits > 0 {
            (None, None)
        } else if engine::effects(&self.plan, run).iter().any(|effect| effect.not_before.is_none()) {
            (None, Some(now))
        } else {
            (None, engine::live_leases(run, now))
        };
        let Some(then) = then else { return Ok(()) };
        self.done.comes_back_on = Some(then.max(now));
        let delay = time::delay_s(then, now).min(MAX_DELAY_S);
        self.send(vec![(Hint { node, ..self.hint.clone() }, delay)]).await
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
