//! Starting a run: checked, stored once, and handed to the workers.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    Priority, RunId, RunSettings, RunStatus, ServiceId, TeamId, Timestamp, Trigger, VersionId, WorkflowId,
    WorkflowVersion,
};
use engine::{Digest, LONGEST_RUN, NewRun, Run, Violation};
use serde_json::Value;
use tracing::{info, warn};

use crate::ports::{
    Clock, Created, Hint, IdempotencyKey, Ids, RunStore, RunningLimits, StepQueue, StoreError,
    WorkflowCatalog,
};

/// How long an `Idempotency-Key` of a start is remembered.
pub const KEY_LIFE: TimeDelta = TimeDelta::hours(24);

/// What starting a run asks of the world.
#[derive(Clone, Copy)]
pub struct StartPorts<'a> {
    /// Where the run is stored.
    pub store: &'a dyn RunStore,
    /// How workers hear of it.
    pub queue: &'a dyn StepQueue,
    /// Which version is the published one.
    pub catalog: &'a dyn WorkflowCatalog,
    /// How much a team may have under way.
    pub limits: &'a dyn RunningLimits,
    /// The present.
    pub clock: &'a dyn Clock,
    /// The run's id.
    pub ids: &'a dyn Ids,
}

/// A wish to start a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StartRun {
    /// The caller's team.
    pub team_id: TeamId,
    /// What to run.
    pub target: Target,
    /// What to run it with.
    pub inputs: Value,
    /// Who or what starts it.
    pub trigger: Trigger,
    /// The service that asks, if it is one: it starts only what it sees and what says `is_api` (TRG-01).
    pub service: Option<ServiceId>,
    /// Its class in the queue of the workers.
    pub priority: Priority,
    /// What the client sent as `Idempotency-Key`, at most 255 visible characters.
    pub idempotency_key: Option<String>,
}

/// What a start names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The published version of a workflow.
    Workflow(WorkflowId),
    /// This version, current or not.
    Version(VersionId),
}

/// An accepted start.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// The run as it stands now.
    pub run: Run,
    /// Whether an earlier start with the same key made it.
    pub is_repeat: bool,
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The team has no such workflow or version, or the service that asks does not see it.
    #[error("there is no such workflow in this team")]
    NotFound,
    /// The workflow was never published.
    #[error("the workflow is not published")]
    NotPublished,
    /// The workflow is archived.
    #[error("the workflow is archived")]
    Archived,
    /// The version may not be started by services (TRG-01).
    #[error("the workflow is not callable through the API")]
    NotCallable,
    /// The inputs do not match the version's `input_params`. Pointers lead into the inputs.
    #[error("the inputs do not match the workflow's input_params")]
    InvalidInputs(Vec<Violation>),
    /// The key was used for another start.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            other => Self::Store(other),
        }
    }
}

/// Starts a run, or answers the run that the same key started before (RUN-01, RUN-13). The run is stored before its hint is
/// sent; a crash in between is mended by the client's repeat or, at the latest, when the run's next check passes.
pub async fn start_run(ports: &StartPorts<'_>, wish: StartRun) -> Result<Started, StartError> {
    let version = startable(ports, wish.team_id, wish.target, wish.service).await?;
    let violations = engine::validate_inputs(&version.input_params, &wish.inputs);
    if !violations.is_empty() {
        return Err(StartError::InvalidInputs(violations));
    }
    let idempotency = key_of(&wish, ports.clock);
    let run = new_run(ports, &version, wish.trigger, wish.priority).await?;
    store(ports, &run, &wish.inputs, idempotency.as_ref()).await
}

/// A run of a version as it begins.
pub(crate) async fn new_run(
    ports: &StartPorts<'_>,
    version: &WorkflowVersion,
    trigger: Trigger,
    priority: Priority,
) -> Result<Run, StoreError> {
    let created_on = ports.clock.now();
    let mut run = Run::start(NewRun {
        id: RunId::new(ports.ids.next()),
        team_id: version.team_id,
        workflow_id: version.workflow_id,
        version_id: version.id,
        trigger,
        priority,
        created_on,
    });
    run.deadline = Some(deadline(&version.settings, created_on));
    let limits = ports.limits.at_once(version.team_id).await?;
    (run.max_running, run.max_running_steps) = (limits.runs, limits.steps);
    Ok(run)
}

/// When a run that was accepted at this time fails if it has not ended.
pub(crate) fn deadline(settings: &RunSettings, created_on: Timestamp) -> Timestamp {
    let own = settings.timeout_s.map(|seconds| TimeDelta::seconds(seconds.into()));
    created_on + own.unwrap_or(LONGEST_RUN)
}

/// Stores a run and tells the workers, or answers the run that the same key started before.
pub(crate) async fn store(
    ports: &StartPorts<'_>,
    run: &Run,
    inputs: &Value,
    idempotency: Option<&IdempotencyKey>,
) -> Result<Started, StartError> {
    let (started, is_announced) = match ports.store.create(run, inputs, idempotency).await? {
        Created::New => (Started { run: run.clone(), is_repeat: false }, false),
        Created::Announced => (Started { run: run.clone(), is_repeat: false }, true),
        Created::Existing(id) => {
            let run = ports.store.load_control(run.team_id, id).await?;
            (Started { run, is_repeat: true }, false)
        }
        Created::KeyReused => return Err(StartError::KeyReused),
    };
    let Run { id: run_id, team_id, version_id, .. } = started.run;
    info!(%run_id, %team_id, %version_id, repeat = started.is_repeat, "run {run_id} accepted");
    if !is_announced {
        announce(ports.queue, &started.run).await?;
    }
    Ok(started)
}

/// Sends the run's first hint; again for a repeat whose run nobody has looked at yet, because that hint may have been lost.
async fn announce(queue: &dyn StepQueue, run: &Run) -> Result<(), StoreError> {
    if run.status != RunStatus::Pending {
        return Ok(());
    }
    queue.send(&[(Hint::at(run), 0)]).await
}

/// The key with the digest of what it stands for: the target, the inputs and the class.
fn key_of(wish: &StartRun, clock: &dyn Clock) -> Option<IdempotencyKey> {
    let key = wish.idempotency_key.clone()?;
    let target = match wish.target {
        Target::Workflow(id) => ("workflow", id.uuid()),
        Target::Version(id) => ("version", id.uuid()),
    };
    Some(IdempotencyKey {
        key,
        request: Digest::of(&(target, &wish.inputs, wish.priority)),
        expires_on: clock.now() + KEY_LIFE,
    })
}

/// The version that the target means, if its workflow takes new runs, from this service where one asks.
pub(crate) async fn startable(
    ports: &StartPorts<'_>,
    team: TeamId,
    target: Target,
    service: Option<ServiceId>,
) -> Result<Arc<WorkflowVersion>, StartError> {
    let version = match target {
        Target::Workflow(workflow) => {
            let runnable = ports.catalog.runnable(team, workflow, service).await?;
            if runnable.is_archived {
                return Err(StartError::Archived);
            }
            let id = runnable.version_id.ok_or(StartError::NotPublished)?;
            stored_version(ports, team, id).await?
        }
        Target::Version(id) => {
            let version = stored_version(ports, team, id).await?;
            if ports.catalog.runnable(team, version.workflow_id, service).await?.is_archived {
                return Err(StartError::Archived);
            }
            version
        }
    };
    if service.is_some() && !version.is_api {
        return Err(StartError::NotCallable);
    }
    Ok(version)
}

/// The version from the run store. One that publishing recorded in the catalog but could not hand to the run store is handed
/// over now, so that no run starts that workers can't execute.
async fn stored_version(
    ports: &StartPorts<'_>,
    team: TeamId,
    id: VersionId,
) -> Result<Arc<WorkflowVersion>, StoreError> {
    match ports.store.version(team, id).await {
        Err(StoreError::NotFound) => {}
        found => return found,
    }
    let version = ports.catalog.version(team, id).await?;
    warn!(version_id = %id, team_id = %team, "version {id} was missing in the run store, storing it again");
    ports.store.put_version(&version).await?;
    Ok(Arc::new(version))
}
