//! Looking after the runs that a run waits for.

use std::sync::Arc;

use domain::{ErrorClass, Failure, NodeKey, RunStatus, Timestamp};
use engine::{
    Awaited, Call, Event, NodeState, Plan, Rejected, RetryFrom, Run, Turn, child_id, children_of,
    is_complete_with, item_results, run_result,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use tokio::sync::MutexGuard;

use super::{Held, dispatch::cancel_child};
use crate::{
    AdvanceError,
    ports::{LoadedRun, StoreError},
};

/// Children that are looked at or read at once.
const AT_ONCE: usize = 16;

impl<'a> Held<'a> {
    /// Takes in what children of this node have come to, or of every node that waits for some. Answers what was claimed with it.
    pub(crate) async fn settle_children(
        &mut self,
        node: Option<&NodeKey>,
        turn: impl Fn(&Plan, Timestamp) -> Option<Turn> + Copy,
    ) -> Result<Vec<Call>, AdvanceError> {
        let waiting: Vec<_> =
            self.run().children.keys().filter(|key| node.is_none_or(|node| node == *key)).cloned().collect();
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let _turn = self.turn_at_children().await?;
        let mut calls = Vec::new();
        for node in waiting {
            let mut attempt = 0;
            while let Some(event) = self.news_of(&node).await? {
                attempt += 1;
                match self.apply(event, turn).await? {
                    Ok(claimed) => {
                        calls.extend(claimed);
                        break;
                    }
                    Err(Rejected::Ended) => break,
                    // Somebody else took some of it in.
                    Err(_) => self.reload(attempt).await?,
                }
            }
        }
        Ok(calls)
    }

    /// Waits for others of this process that look after the same run's children. Many children that end at a time each have their parent
    /// looked at: the first of them takes in what there is, and holds it in memory once, and the others find nothing left to do.
    async fn turn_at_children(&mut self) -> Result<MutexGuard<'a, ()>, StoreError> {
        let turn = self.conductor.turns.of(self.run().id);
        if let Ok(free) = turn.try_lock() {
            return Ok(free);
        }
        let mine = turn.lock().await;
        self.read_again().await?;
        Ok(mine)
    }

    /// What the children that have ended mean for the node; None while none has.
    async fn news_of(&self, node: &NodeKey) -> Result<Option<Event>, AdvanceError> {
        let ended = self.ended_children(node).await?;
        if ended.is_empty() {
            return Ok(None);
        }
        let steps = ended.iter().filter(|(_, run)| run.is_chunk()).map(|(_, run)| run.steps).sum();
        let numbers: Vec<_> = ended.iter().map(|(number, _)| *number).collect();
        let failed = ended.iter().find(|(_, run)| run.status != RunStatus::Succeeded);
        let outcome = match failed {
            Some((_, run)) => Some(Err(failure_of(run))),
            None if is_complete_with(self.run(), node, &numbers) => {
                Some(Ok(Arc::new(self.gather(node).await?)))
            }
            None => None,
        };
        Ok(Some(Event::ChildrenEnded { node: node.clone(), ended: numbers, steps, outcome }))
    }

    async fn ended_children(&self, node: &NodeKey) -> Result<Vec<(u32, Run)>, AdvanceError> {
        let is_awaited =
            matches!(self.run().nodes.get(node), Some(NodeState::Waiting { on: Awaited::Children, .. }));
        let Some(children) = self.run().children.get(node).filter(|_| is_awaited) else {
            return Ok(Vec::new());
        };
        let found = stream::iter(children.open.iter().copied())
            .map(|number| async move { Ok((number, self.control_of(node, number).await?)) })
            .buffered(AT_ONCE);
        let found: Result<Vec<(u32, Option<Run>)>, StoreError> = found.try_collect().await;
        let ended = |(number, run): (u32, Option<Run>)| {
            run.filter(|run| run.status.is_terminal()).map(|run| (number, run))
        };
        let ended: Vec<_> = found?.into_iter().filter_map(ended).collect();
        for (_, run) in ended.iter().filter(|(_, run)| run.next_check_on.is_some()) {
            self.end_below(run).await?;
        }
        Ok(ended)
    }

    /// Ends what a child has started and may not have ended yet. Once the child is taken in, a cancel of this run would pass it by.
    async fn end_below(&self, child: &Run) -> Result<(), AdvanceError> {
        if child.children.is_empty() {
            return Ok(());
        }
        let last_claim = cancel_child(self.conductor, child.team_id, child.id).await?;
        self.conductor.all_have_begun(last_claim).await;
        Ok(())
    }

    /// A child as it stands; None if it was not started yet.
    async fn control_of(&self, node: &NodeKey, number: u32) -> Result<Option<Run>, StoreError> {
        let id = child_id(self.run().id, node, number);
        match self.conductor.store.load_control(self.run().team_id, id).await {
            Ok(run) => Ok(Some(run)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What all children of a node together come to: the result of a run, or those of all items in their order.
    async fn gather(&self, node: &NodeKey) -> Result<Value, AdvanceError> {
        let total = self.run().children.get(node).map_or(0, |children| children.total);
        let mut results =
            stream::iter(0..total).map(|number| self.results_of(node, number)).buffered(AT_ONCE);
        let mut items = Vec::new();
        while let Some(result) = results.try_next().await? {
            match result {
                Results::OfRun(result) => return Ok(result),
                Results::OfItems(part) => items.extend(part),
            }
        }
        Ok(Value::Array(items))
    }

    /// What a child has come to, and nothing else of it: together they may be large.
    async fn results_of(&self, node: &NodeKey, number: u32) -> Result<Results, AdvanceError> {
        let Run { id, team_id, .. } = *self.run();
        let LoadedRun { run, values, .. } =
            self.conductor.store.load(team_id, child_id(id, node, number)).await?;
        if !run.is_chunk() {
            return Ok(Results::OfRun(run_result(&run, &values).unwrap_or_default()));
        }
        let plan = self.conductor.plan(&run).await?;
        Ok(Results::OfItems(item_results(&plan, &run, &values)))
    }

    /// Starts children of a node. One that can't be started with what it is to be given fails its node.
    pub(super) async fn start_children_of(
        &mut self,
        node: &NodeKey,
        numbers: &[u32],
    ) -> Result<(), AdvanceError> {
        let now = self.conductor.clock.now();
        let children = children_of(&self.plan, self.run(), &self.run.values, node, numbers, now);
        let failure = match children {
            Ok(children) => match self.refusal(&children).await? {
                Some(failure) => failure,
                None => return self.start_all(children).await,
            },
            Err(failure) => failure,
        };
        let event = Event::ChildrenEnded {
            node: node.clone(),
            ended: numbers.to_vec(),
            steps: 0,
            outcome: Some(Err(failure)),
        };
        // Refused if the node has gone on in the meantime, which is as good.
        let _ = self.apply(event, |_, _| None).await?;
        Ok(())
    }

    /// Why the workflow of a child does not take what it is given.
    async fn refusal(&self, children: &[engine::ChildRun]) -> Result<Option<Failure>, AdvanceError> {
        let Some(child) = children.first().filter(|child| !child.run.is_chunk()) else { return Ok(None) };
        let plan = self.conductor.plan_of_version(child.run.team_id, child.run.version_id).await?;
        let violations = engine::validate_inputs(&plan.version().input_params, &child.inputs);
        if violations.is_empty() {
            return Ok(None);
        }
        let places: Vec<_> =
            violations.iter().map(|wrong| format!("`{}`: {}", wrong.pointer, wrong.message)).collect();
        let message = format!(
            "the inputs do not match the input_params of {}: {}",
            plan.version().workflow_name,
            places.join("; ")
        );
        Ok(Some(Failure::new(ErrorClass::Validation, "invalid_inputs", message)))
    }

    /// Whether the run is a child that nobody waits for any more.
    pub(crate) async fn is_orphan(&self) -> Result<bool, StoreError> {
        let run = self.run();
        let Some(parent) = run.parent.as_ref().filter(|_| run.status == RunStatus::Pending) else {
            return Ok(false);
        };
        match self.conductor.store.load_control(run.team_id, parent.run_id).await {
            Ok(above) => Ok(!above.children.get(&parent.node).is_some_and(|children| {
                let is_awaited = matches!(above.nodes.get(&parent.node), Some(NodeState::Waiting { .. }));
                is_awaited && children.open.contains(&parent.child)
            })),
            Err(StoreError::NotFound) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// What a retry takes over of the run that it goes on from; None where there is nothing to.
    pub(crate) async fn inheritance(&self) -> Result<Option<Event>, AdvanceError> {
        let run = self.run();
        let retry = run
            .retry_of
            .as_ref()
            .filter(|retry| run.status == RunStatus::Pending && retry.from != RetryFrom::Start);
        let Some(retry) = retry else { return Ok(None) };
        let earlier = match self.conductor.store.load(run.team_id, retry.run_id).await {
            Err(StoreError::NotFound) => return Ok(None),
            loaded => loaded?,
        };
        // What is a child goes on only with the work that it had.
        let inputs = (&self.run.values.inputs, &earlier.values.inputs);
        if run.parent.is_some() && !engine::is_same_work(run, inputs.0, inputs.1) {
            return Ok(None);
        }
        let plan = self.conductor.plan(&earlier.run).await?;
        let (nodes, records) = engine::kept(&self.plan, &plan, &earlier.run, &earlier.records, &retry.from);
        Ok(Some(Event::Resumed { nodes, records }))
    }
}

/// What a child has come to.
enum Results {
    /// The result of a run of another workflow.
    OfRun(Value),
    /// Those of the items of a chunk.
    OfItems(Vec<Value>),
}

/// How the failure of a child is told at the node that runs it.
fn failure_of(run: &Run) -> Failure {
    let place = run.error.as_ref().and_then(|error| error.node.as_ref());
    match &run.error {
        Some(error) => {
            let failure = &error.failure;
            let message = match (place, run.is_chunk()) {
                (Some(node), true) => format!("{node}: {}", failure.message),
                (Some(node), false) => format!("run {} failed at {node}: {}", run.id, failure.message),
                (None, _) => format!("run {} failed: {}", run.id, failure.message),
            };
            Failure { message, retry_after_s: None, ..failure.clone() }
        }
        None => {
            Failure::new(ErrorClass::Permanent, "child_cancelled", format!("run {} was cancelled", run.id))
        }
    }
}
