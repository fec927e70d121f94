//! Runs.

use app::{
    ports::{LoadedRun, RunSummary},
    story::{self, Order},
};
use domain::{RunId, RunStatus, Timestamp, Trigger, TriggerKind, VersionId, WorkflowId, WorkflowVersion};
use engine::{Run, StepRecord};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{AnnotationView, EventView, FailureView, StepView, ms_between, steps_of};
use crate::values::Budget;

/// `pending → running ⇄ waiting → succeeded | failed | cancelled`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RunStatus)]
#[expect(dead_code, reason = "describes domain::RunStatus, which knows no OpenAPI")]
pub(crate) enum RunStatusDoc {
    Pending,
    Running,
    Waiting,
    Succeeded,
    Failed,
    Cancelled,
}

/// What kind of event started a run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TriggerKind)]
#[expect(dead_code, reason = "describes domain::TriggerKind, which knows no OpenAPI")]
pub(crate) enum TriggerKindDoc {
    Api,
    Manual,
    Schedule,
    Webhook,
    Chat,
    Mcp,
    Workflow,
    Error,
}

/// Who or what started a run.
#[derive(Serialize, ToSchema)]
#[schema(as = Trigger)]
struct TriggerDoc {
    kind: TriggerKindDoc,
    /// Id of the service, member or schedule.
    by: Option<String>,
}

/// A run as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StartedRun {
    #[schema(value_type = Uuid)]
    run_id: RunId,
    #[schema(value_type = RunStatusDoc)]
    status: RunStatus,
}

impl StartedRun {
    pub(crate) fn of(run: &Run) -> Self {
        Self { run_id: run.id, status: run.status }
    }
}

/// A run that has ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "run_id": "01a20155-2112-714f-9307-c241d182a1ef",
    "status": "succeeded",
    "result": {"total": 434.25},
    "error": null,
    "created_on": "2026-11-22T09:30:00Z",
    "finished_on": "2026-11-22T09:30:00.412Z",
    "duration_ms": 412,
}))]
pub(crate) struct EndedRun {
    #[schema(value_type = Uuid)]
    run_id: RunId,
    #[schema(value_type = RunStatusDoc)]
    status: RunStatus,
    /// What it came to, if it succeeded.
    #[schema(example = json!({"total": 434.25}))]
    result: Option<Value>,
    /// Why it failed, if it did.
    error: Option<FailureView>,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_on: Option<Timestamp>,
    /// From its acceptance to its end.
    #[schema(example = 412)]
    duration_ms: Option<u64>,
}

impl EndedRun {
    pub(crate) fn of(loaded: &LoadedRun) -> Self {
        let run = &loaded.run;
        Self {
            run_id: run.id,
            status: run.status,
            result: result(loaded, &mut Budget::default()),
            error: error(run),
            created_on: run.created_on,
            finished_on: run.finished_on,
            duration_ms: run.finished_on.map(|end| ms_between(run.created_on, end)),
        }
    }
}

fn result(loaded: &LoadedRun, budget: &mut Budget) -> Option<Value> {
    engine::run_result(&loaded.run, &loaded.values).map(|value| budget.take(&value))
}

fn error(run: &Run) -> Option<FailureView> {
    run.error.as_ref().map(|error| FailureView::at(error.node.as_ref(), &error.failure))
}

/// What a run waits for that others of its team have.
pub(crate) struct Waiting {
    pub(crate) queue_position: Option<u32>,
    pub(crate) steps_waiting: Option<StepsWaiting>,
}

/// Steps that wait for calls of the team to end.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StepsWaiting {
    /// How many.
    #[schema(example = 2)]
    pub(crate) count: usize,
    /// How many calls of the team may be under way at a time.
    #[schema(example = 1000)]
    pub(crate) limit: u32,
}

/// A run with everything that is kept of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunDetail {
    #[schema(value_type = Uuid)]
    id: RunId,
    #[schema(value_type = Uuid)]
    workflow_id: WorkflowId,
    /// The workflow's name when the version was published.
    #[schema(example = "Orders over 50")]
    workflow_name: String,
    #[schema(value_type = Uuid)]
    version_id: VersionId,
    /// The version's number in its workflow.
    #[schema(example = 3)]
    version_number: u32,
    #[schema(value_type = RunStatusDoc)]
    status: RunStatus,
    /// Where it stands among the runs of its team that wait until others have ended (docs/limits.md), from 1; absent where it does not
    /// wait. 1001 where more than a thousand are before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_position: Option<u32>,
    /// The steps that could begin if fewer calls of the team were under way (docs/limits.md); absent where none waits for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps_waiting: Option<StepsWaiting>,
    #[schema(value_type = TriggerDoc)]
    trigger: Trigger,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_on: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_on: Option<Timestamp>,
    /// From its acceptance to its end.
    #[schema(example = 412)]
    duration_ms: Option<u64>,
    /// What it was started with.
    #[schema(example = json!({"amount": 50}))]
    inputs: Value,
    /// What it came to, if it succeeded.
    #[schema(example = json!({"total": 434.25}))]
    result: Option<Value>,
    /// Why it failed, if it did.
    error: Option<FailureView>,
    /// Every node, in the order of the graph.
    steps: Vec<StepView>,
    /// What it has taken so far.
    usage: Usage,
    /// What happened, in order.
    timeline: Vec<EventView>,
    /// What was remarked on it: the newest 20.
    annotations: Vec<AnnotationView>,
}

impl RunDetail {
    pub(crate) fn of(
        loaded: &LoadedRun,
        version: &WorkflowVersion,
        waiting: Waiting,
        annotations: Vec<AnnotationView>,
    ) -> Self {
        let run = &loaded.run;
        // The result comes first, so that it is the last to be left out.
        let mut budget = Budget::default();
        let result = result(loaded, &mut budget);
        Self {
            id: run.id,
            workflow_id: run.workflow_id,
            workflow_name: version.workflow_name.clone(),
            version_id: run.version_id,
            version_number: version.number,
            status: run.status,
            queue_position: waiting.queue_position,
            steps_waiting: waiting.steps_waiting,
            trigger: run.trigger.clone(),
            created_on: run.created_on,
            started_on: run.started_on,
            finished_on: run.finished_on,
            duration_ms: run.finished_on.map(|end| ms_between(run.created_on, end)),
            inputs: budget.take(&loaded.values.inputs),
            result,
            error: error(run),
            steps: steps_of(loaded, version, &mut budget),
            usage: Usage::of(&loaded.records),
            timeline: story::of(run, &loaded.records, &Order::of(&version.graph))
                .iter()
                .map(|event| EventView::of(event, run.created_on))
                .collect(),
            annotations,
        }
    }
}

/// What a run has taken so far, of attempts that have ended.
#[derive(Debug, Serialize, ToSchema)]
struct Usage {
    /// Attempts of nodes, data steps included.
    #[schema(example = 4)]
    attempts: usize,
    /// Those of them that failed and were followed by another one.
    #[schema(example = 1)]
    retries: usize,
    /// The time that the attempts took, one after the other.
    #[schema(example = 380)]
    work_ms: u64,
}

impl Usage {
    fn of(records: &[StepRecord]) -> Self {
        Self {
            attempts: records.len(),
            retries: records.iter().filter(|record| record.retried).count(),
            work_ms: records.iter().map(|record| ms_between(record.started_on, record.finished_on)).sum(),
        }
    }
}

/// A run as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunSummaryView {
    #[schema(value_type = Uuid)]
    id: RunId,
    #[schema(value_type = Uuid)]
    workflow_id: WorkflowId,
    /// The workflow's name as it is now; null where the workflow is gone.
    #[schema(example = "Orders over 50")]
    workflow_name: Option<String>,
    #[schema(value_type = Uuid)]
    version_id: VersionId,
    #[schema(value_type = RunStatusDoc)]
    status: RunStatus,
    #[schema(value_type = TriggerKindDoc)]
    trigger: TriggerKind,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_on: Option<Timestamp>,
    /// From its acceptance to its end.
    #[schema(example = 412)]
    duration_ms: Option<u64>,
    /// Why it failed, if it did; at most 200 characters of the message.
    error: Option<FailureView>,
}

impl RunSummaryView {
    pub(crate) fn of(run: &RunSummary, workflow_name: Option<String>) -> Self {
        Self {
            id: run.id,
            workflow_id: run.workflow_id,
            workflow_name,
            version_id: run.version_id,
            status: run.status,
            trigger: run.trigger,
            created_on: run.created_on,
            finished_on: run.finished_on,
            duration_ms: run.finished_on.map(|end| ms_between(run.created_on, end)),
            error: run.error.as_ref().map(FailureView::of),
        }
    }
}
