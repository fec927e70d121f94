//! Doing what a committed state asks for. All of it may be done twice.

use domain::{NodeKey, RunId, TeamId, Timestamp, Trigger, TriggerKind, UsedVersion};
use engine::{ChildRun, Effect, Event, NewRun, Run, child_id, error_run_id};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use tracing::debug;

use super::{Conductor, Held};
use crate::{
    AdvanceError,
    advance_run::time::{CALLS_AT_ONCE, MAX_DELAY_S, delay_s},
    cancel_run,
    cancel_run::{By, Stopped},
    ports::{Created, Due, Hint, Name, StoreError, Timer},
};

/// Runs that are started or cancelled at once.
const AT_ONCE: usize = 8;

impl Held<'_> {
    /// Does everything that commits left to do, and what follows from it.
    pub(crate) async fn dispatch(&mut self) -> Result<(), AdvanceError> {
        self.dispatch_for(By::Another).await
    }

    /// Does everything that commits left to do. A parent that ends the run is not told: it would look after its children again, each of
    /// which would tell it.
    pub(crate) async fn dispatch_for(&mut self, by: By) -> Result<(), AdvanceError> {
        if self.effects.is_empty() {
            return Ok(());
        }
        while !self.effects.is_empty() {
            if by == By::Parent {
                self.effects.retain(|effect| *effect != Effect::TellParent);
            }
            let effects = std::mem::take(&mut self.effects);
            // Children end before anyone hears that their parent has.
            self.cancel_children(&effects).await?;
            self.start_children(&effects).await?;
            self.send_hints(&effects).await?;
            if effects.contains(&Effect::MakeRoom) {
                self.make_room().await?;
            }
            if effects.contains(&Effect::StartErrorWorkflow) {
                self.start_error_workflow().await?;
            }
        }
        self.close().await;
        Ok(())
    }

    /// Whether the run has ended and nobody has written down yet that all was done that its end asks for.
    pub(super) fn is_to_be_closed(&self) -> bool {
        self.has_ended() && self.run().next_check_on.is_some()
    }

    /// Writes down that all was done that the end of the run asks for. If that can't be written, it is done once more when the run is
    /// looked at.
    async fn close(&mut self) {
        if !self.is_to_be_closed() {
            return;
        }
        if let Err(error) = self.apply(Event::Closed, |_, _| None).await {
            let Run { id, team_id, .. } = *self.run();
            debug!(run_id = %id, team_id = %team_id, %error, "that all was done after the end of a run was not written down");
        }
    }

    /// Leaves it to the caller to claim what is ready.
    pub(crate) fn keep_claims(&mut self) {
        self.effects.retain(|effect| !matches!(effect, Effect::Claim { .. }));
    }

    /// Leaves it to the caller to see that what is ready now is claimed. Answers whether anything was.
    pub(crate) fn keep_claims_of_now(&mut self) -> bool {
        let effects = self.effects.len();
        self.effects.retain(|effect| !matches!(effect, Effect::Claim { not_before: None, .. }));
        self.effects.len() < effects
    }

    /// Asks for somebody to claim what is ready.
    pub(crate) fn expect_claims(&mut self) {
        self.expect_everything();
        self.effects.retain(|effect| matches!(effect, Effect::Claim { .. }));
    }

    async fn send_hints(&mut self, effects: &[Effect]) -> Result<(), StoreError> {
        let now = self.conductor.clock.now();
        let mut hints = Vec::new();
        let mut ready = Vec::new();
        let mut chunk_due: Option<Timestamp> = None;
        for effect in effects {
            match effect {
                // One worker works on a chunk, so one message is enough, for the first that is due.
                Effect::Claim { not_before, .. } if self.plan.is_chunk() => {
                    let due = not_before.unwrap_or(now);
                    chunk_due = Some(chunk_due.map_or(due, |other| other.min(due)));
                }
                Effect::Claim { node, not_before: None } => ready.push(node),
                Effect::Claim { node, not_before: Some(then) } => {
                    hints.push((
                        Hint::at(self.run()).about(node.clone()),
                        delay_s(*then, now).min(MAX_DELAY_S),
                    ));
                }
                Effect::Wake { node, at } => {
                    let hint = Hint::at(self.run()).about(node.clone());
                    match delay_s(*at, now) {
                        delay if delay <= MAX_DELAY_S => hints.push((hint, delay)),
                        _ => self.conductor.timers.put(&timer(&hint, node, *at)).await?,
                    }
                }
                Effect::TellParent => {
                    let Some(parent) = &self.run().parent else { continue };
                    let about = Hint::at(self.run()).about(parent.node.clone());
                    hints.push((Hint { run_id: parent.run_id, ..about }, 0));
                }
                Effect::StartChild { .. }
                | Effect::CancelChild { .. }
                | Effect::MakeRoom
                | Effect::StartErrorWorkflow => {}
            }
        }
        // One worker takes as many as it can, from the first of them on.
        let groups = ready.chunks(CALLS_AT_ONCE).map(|group| Hint::at(self.run()).about(group[0].clone()));
        hints.extend(groups.map(|hint| (hint, 0)));
        hints.extend(chunk_due.map(|due| (Hint::at(self.run()), delay_s(due, now).min(MAX_DELAY_S))));
        self.send(hints).await
    }

    pub(crate) async fn send(&mut self, hints: Vec<(Hint, u32)>) -> Result<(), StoreError> {
        if hints.is_empty() {
            return Ok(());
        }
        self.conductor.queue.send(&hints).await?;
        self.hints += u32::try_from(hints.len()).unwrap_or(u32::MAX);
        Ok(())
    }

    async fn cancel_children(&mut self, effects: &[Effect]) -> Result<(), AdvanceError> {
        let Run { id, team_id, .. } = *self.run();
        let children = effects.iter().filter_map(|effect| match effect {
            Effect::CancelChild { node, child } => Some(child_id(id, node, *child)),
            _ => None,
        });
        let conductor = self.conductor;
        let children: Vec<_> = children.collect();
        let last_claims: Vec<Option<Timestamp>> = stream::iter(children)
            .map(|child| cancel_child(conductor, team_id, child))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        self.last_claim = self.last_claim.max(last_claims.into_iter().flatten().max());
        Ok(())
    }

    async fn start_children(&mut self, effects: &[Effect]) -> Result<(), AdvanceError> {
        let mut nodes: Vec<(NodeKey, Vec<u32>)> = Vec::new();
        for effect in effects {
            let Effect::StartChild { node, child } = effect else { continue };
            match nodes.last_mut().filter(|(last, _)| last == node) {
                Some((_, numbers)) => numbers.push(*child),
                None => nodes.push((node.clone(), vec![*child])),
            }
        }
        for (node, numbers) in nodes {
            self.start_children_of(&node, &numbers).await?;
        }
        Ok(())
    }

    pub(super) async fn start_all(&self, children: Vec<ChildRun>) -> Result<(), AdvanceError> {
        let conductor = self.conductor;
        stream::iter(children)
            .map(|child| conductor.start(child))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await
            .map_err(AdvanceError::from)
    }

    /// Starts the workflow that this one names for its failures, with what is known of the failure.
    async fn start_error_workflow(&self) -> Result<(), AdvanceError> {
        let (run, version) = (self.run(), self.plan.version());
        let named = version.settings.error_workflow_id;
        let used = version.uses.iter().find(|used| Some(used.workflow_id) == named && used.number.is_none());
        let Some(UsedVersion { workflow_id, version_id, .. }) = used else { return Ok(()) };
        let mut run_of_error = Run::start(NewRun {
            id: error_run_id(run.id),
            workflow_id: *workflow_id,
            version_id: *version_id,
            trigger: Trigger { kind: TriggerKind::Error, by: Some(run.id.to_string()) },
            created_on: self.conductor.clock.now(),
            ..NewRun::like(run)
        });
        run_of_error.max_running_steps = run.max_running_steps;
        let inputs = json!({
            "run": {
                "id": run.id, "status": run.status, "created_on": run.created_on, "finished_on": run.finished_on,
                "trigger": run.trigger, "inputs": *self.run.values.inputs,
            },
            "workflow": { "id": run.workflow_id, "name": version.workflow_name, "version": version.number },
            "error": run.error,
        });
        Ok(self.conductor.start(ChildRun { run: run_of_error, inputs }).await?)
    }
}

impl Conductor {
    /// Stores a run whose id follows from something else and tells the workers, or finds it there.
    async fn start(&self, ChildRun { mut run, inputs }: ChildRun) -> Result<(), StoreError> {
        if !run.is_chunk() {
            let version = self.store.version(run.team_id, run.version_id).await?;
            let own = crate::start_run::deadline(&version.settings, run.created_on);
            run.deadline = Some(run.deadline.map_or(own, |outer| outer.min(own)));
        }
        match self.store.create(&run, &inputs, None).await {
            Ok(Created::Announced) => return Ok(()),
            // Whoever stored it may have been lost before they told anyone.
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        self.queue.send(&[(Hint::at(&run), 0)]).await
    }
}

/// Cancels a child, if it was ever started and has not ended, and answers when the last call of it was claimed. One that is started later
/// finds that nobody waits for it.
pub(super) async fn cancel_child(
    conductor: &Conductor,
    team: TeamId,
    child: RunId,
) -> Result<Option<Timestamp>, AdvanceError> {
    // Boxed, since a child has children too.
    match Box::pin(cancel_run::end_at_once(conductor, team, child, By::Parent)).await {
        Ok(Stopped::Now(ended) | Stopped::Before(ended)) => Ok(ended.last_claim),
        Err(AdvanceError::Store(StoreError::NotFound)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A hint for later than a queue can delay it.
fn timer(hint: &Hint, node: &NodeKey, at: Timestamp) -> Timer {
    // Plain data with text keys: writing it can't fail.
    let message = serde_json::to_value(hint).unwrap_or(Value::Null);
    Timer { name: Name::from_id("wake", child_id(hint.run_id, node, 0)), due: Due::Once(at), message }
}
