//! Retrying a run (WF-17): another run goes on from what an earlier one has come to.

use domain::{NodeKey, RunId, RunStatus, ServiceId, TeamId, Trigger};
use engine::{NodeState, RetryFrom, RetryOf, Run, Violation};
use serde_json::Value;
use tracing::info;

use crate::{
    StartError, StartPorts,
    advance_run::AdvanceError,
    conductor::Conductor,
    ports::StoreError,
    start_run::{self, Target},
};

/// A wish to retry a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryRun {
    /// The caller's team.
    pub team_id: TeamId,
    /// The run that ended.
    pub run_id: RunId,
    /// Where to start again.
    pub from: RetryFrom,
    /// Whether to use the published version and not the run's own. What differs in it is done again.
    pub latest_version: bool,
    /// Other inputs than the run's. What was done with the earlier ones is kept all the same.
    pub inputs: Option<Value>,
    /// Who asks.
    pub trigger: Trigger,
    /// The service that asks, if it is one: it retries what it may start (TRG-01).
    pub service: Option<ServiceId>,
}

/// Why a run was not retried.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// The team has no such run.
    #[error("there is no such run in this team")]
    NotFound,
    /// It has not ended.
    #[error("the run has not ended")]
    NotEnded,
    /// It succeeded, so that there is nothing that failed to start again from.
    #[error("the run succeeded")]
    NothingFailed,
    /// Its version has no such node.
    #[error("there is no node {0}")]
    NoSuchNode(NodeKey),
    /// The new run could not be started.
    #[error(transparent)]
    Start(StartError),
    /// Its version can't be executed, or a store failed.
    #[error(transparent)]
    Failed(AdvanceError),
}

impl From<StoreError> for RetryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            other => Self::Failed(other.into()),
        }
    }
}

/// What a retry would do.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPreview {
    /// The run it would go on from.
    pub run: Run,
    /// The effectful nodes that had an attempt before and would be done again, in plan order.
    pub repeats: Vec<NodeKey>,
}

/// Starts a run that goes on from an earlier one. Its nodes that are kept have the recorded results; all others are done as in any run,
/// with idempotency keys of the new run.
pub async fn retry_run(
    ports: &StartPorts<'_>,
    conductor: &Conductor,
    wish: RetryRun,
) -> Result<Run, RetryError> {
    let earlier = ports.store.load(wish.team_id, wish.run_id).await?;
    let run = ended(earlier.run, &wish.from)?;
    let target =
        if wish.latest_version { Target::Workflow(run.workflow_id) } else { Target::Version(run.version_id) };
    let version =
        start_run::startable(ports, wish.team_id, target, wish.service).await.map_err(RetryError::Start)?;
    if let RetryFrom::Node(node) = &wish.from {
        let plan = conductor.plan_of_version(wish.team_id, version.id).await.map_err(RetryError::Failed)?;
        plan.node(node).ok_or_else(|| RetryError::NoSuchNode(node.clone()))?;
    }
    let inputs = wish.inputs.unwrap_or_else(|| Value::clone(&earlier.values.inputs));
    let violations: Vec<Violation> = engine::validate_inputs(&version.input_params, &inputs);
    if !violations.is_empty() {
        return Err(RetryError::Start(StartError::InvalidInputs(violations)));
    }
    let mut new = start_run::new_run(ports, &version, wish.trigger, run.priority).await?;
    new.retry_of = Some(RetryOf { run_id: run.id, from: wish.from });
    start_run::store(ports, &new, &inputs, None).await.map_err(RetryError::Start)?;
    info!(run_id = %new.id, team_id = %new.team_id, retry_of = %run.id, "run {} retries {}", new.id, run.id);
    Ok(new)
}

/// What a retry of a run from its failed nodes would do again, without doing it.
pub async fn preview_retry(
    conductor: &Conductor,
    team: TeamId,
    run: RunId,
) -> Result<RetryPreview, RetryError> {
    let earlier = conductor.store.load(team, run).await?;
    let plan = conductor.plan(&earlier.run).await.map_err(RetryError::Failed)?;
    let run = ended(earlier.run, &RetryFrom::Failed)?;
    let (kept, _) = engine::kept(&plan, &plan, &run, &[], &RetryFrom::Failed);
    let is_repeated = |key: &&NodeKey| {
        let was_tried = earlier.records.iter().any(|record| record.node == **key)
            || matches!(run.nodes.get(*key), Some(NodeState::Cancelled { .. }));
        !kept.iter().any(|(kept, _)| kept == *key) && was_tried && !plan.is_pure(key)
    };
    let repeats = plan.order().filter(is_repeated).cloned().collect();
    Ok(RetryPreview { run, repeats })
}

fn ended(run: Run, from: &RetryFrom) -> Result<Run, RetryError> {
    match (run.status.is_terminal() && !run.is_chunk(), from) {
        (false, _) => Err(RetryError::NotEnded),
        (true, RetryFrom::Failed) if run.status == RunStatus::Succeeded => Err(RetryError::NothingFailed),
        (true, _) => Ok(run),
    }
}
