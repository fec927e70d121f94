//! Steps: the nodes of a run.

use app::ports::LoadedRun;
use domain::{ErrorClass, Failure, Node, NodeKey, RunStatus, StepStatus, Timestamp, WorkflowVersion};
use engine::{Attempt, NodeState, StepRecord};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::ms_between;
use crate::values::Budget;

/// Where a step stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StepStatus)]
#[expect(dead_code, reason = "describes domain::StepStatus, which knows no OpenAPI")]
pub(crate) enum StepStatusDoc {
    Blocked,
    Ready,
    Running,
    Succeeded,
    Failed,
    Waiting,
    Skipped,
    Cancelled,
}

/// How a failure was treated: `transient` is retried, the others fail at once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErrorClass)]
#[expect(dead_code, reason = "describes domain::ErrorClass, which knows no OpenAPI")]
enum ErrorClassDoc {
    Transient,
    Permanent,
    Validation,
    Crashed,
}

/// Why something failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailureView {
    /// The node that failed, where the failure is a run's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "fetch_orders")]
    node: Option<NodeKey>,
    #[schema(value_type = ErrorClassDoc)]
    class: ErrorClass,
    /// A stable word for programs, such as `http_status`.
    #[schema(example = "http_503")]
    code: String,
    /// A sentence for people.
    #[schema(example = "The server answered 503.")]
    message: String,
}

impl FailureView {
    pub(crate) fn at(node: Option<&NodeKey>, failure: &Failure) -> Self {
        Self { node: node.cloned(), ..Self::of(failure) }
    }

    pub(crate) fn of(failure: &Failure) -> Self {
        let Failure { class, code, message, .. } = failure;
        Self { node: None, class: *class, code: code.clone(), message: message.clone() }
    }
}

/// One attempt of a node.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttemptView {
    /// Counts from 1.
    #[schema(value_type = u32, example = 1)]
    attempt: Attempt,
    #[schema(value_type = String, format = DateTime)]
    started_on: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_on: Option<Timestamp>,
    #[schema(example = 180)]
    duration_ms: Option<u64>,
    error: Option<FailureView>,
    /// What the connector had to tell, such as `GET api.example.com: 200 in 34 ms`.
    logs: Vec<String>,
}

impl AttemptView {
    fn of(record: &StepRecord) -> Self {
        Self {
            attempt: record.attempt,
            started_on: record.started_on,
            finished_on: Some(record.finished_on),
            duration_ms: Some(ms_between(record.started_on, record.finished_on)),
            error: record.error.as_ref().map(FailureView::of),
            logs: record.notes.clone(),
        }
    }

    /// One that is under way.
    fn begun(attempt: Attempt, started_on: Timestamp) -> Self {
        Self { attempt, started_on, finished_on: None, duration_ms: None, error: None, logs: Vec::new() }
    }
}

/// A node of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StepView {
    /// Its key in the graph.
    #[schema(value_type = String, example = "fetch_orders")]
    node: NodeKey,
    /// Its name; the key where it has none.
    #[schema(example = "Fetch the orders")]
    name: String,
    /// Its type, such as `get_api`.
    #[schema(example = "get_api")]
    node_type: String,
    #[schema(value_type = StepStatusDoc)]
    status: StepStatus,
    /// How often it was tried, the present attempt included.
    #[schema(value_type = u32, example = 1)]
    attempt: Attempt,
    /// Start of the first attempt.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_on: Option<Timestamp>,
    /// When it was settled.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_on: Option<Timestamp>,
    /// From its first attempt to when it was settled, pauses between attempts included.
    #[schema(example = 180)]
    duration_ms: Option<u64>,
    /// When the next attempt may begin, if it waits for one.
    #[schema(value_type = Option<String>, format = DateTime)]
    retry_on: Option<Timestamp>,
    /// The label it chose, if its type chooses.
    label: Option<String>,
    /// What it came to; null unless it succeeded.
    #[schema(example = json!({"orders": []}))]
    output: Option<Value>,
    /// Why it failed last, also where a default output was taken in its place.
    error: Option<FailureView>,
    /// Every attempt, in order.
    attempts: Vec<AttemptView>,
}

/// The steps of a run, in the order of the graph.
pub(crate) fn steps_of(loaded: &LoadedRun, version: &WorkflowVersion, budget: &mut Budget) -> Vec<StepView> {
    version.graph.nodes.iter().map(|node| step(loaded, node, budget)).collect()
}

fn step(loaded: &LoadedRun, node: &Node, budget: &mut Budget) -> StepView {
    let state = loaded.run.nodes.get(&node.key);
    let records: Vec<&StepRecord> = loaded.records.iter().filter(|record| record.node == node.key).collect();
    let mut attempts: Vec<AttemptView> = records.iter().map(|record| AttemptView::of(record)).collect();
    if let Some(
        NodeState::Running { attempt, started_on, .. } | NodeState::Waiting { attempt, started_on, .. },
    ) = state
    {
        attempts.push(AttemptView::begun(*attempt, *started_on));
    }
    let last = records.last();
    let settled = last.filter(|_| state.is_some_and(NodeState::is_settled));
    let started_on = attempts.first().map(|first| first.started_on);
    let finished_on = settled.map(|record| record.finished_on);
    let output = settled.and_then(|record| record.output.as_ref());
    StepView {
        node: node.key.clone(),
        name: if node.name.is_empty() { node.key.to_string() } else { node.name.clone() },
        node_type: node.node_type.clone(),
        status: status(state, loaded.run.status),
        attempt: attempts.last().map_or(0, |attempt| attempt.attempt),
        started_on,
        finished_on,
        duration_ms: started_on.zip(finished_on).map(|(from, to)| ms_between(from, to)),
        retry_on: match state {
            Some(NodeState::Ready { not_before, .. }) => *not_before,
            _ => None,
        },
        label: match state {
            Some(NodeState::Succeeded { label, .. }) => label.clone(),
            _ => None,
        },
        output: output.map(|value| budget.take(value)),
        error: last.and_then(|record| record.error.as_ref()).map(FailureView::of),
        attempts,
    }
}

/// A node without a state is blocked; once its run has ended, it never came to its turn.
fn status(state: Option<&NodeState>, run: RunStatus) -> StepStatus {
    match state {
        None if run.is_terminal() => StepStatus::Cancelled,
        None => StepStatus::Blocked,
        Some(NodeState::Ready { .. }) => StepStatus::Ready,
        Some(NodeState::Running { .. }) => StepStatus::Running,
        Some(NodeState::Waiting { .. }) => StepStatus::Waiting,
        Some(NodeState::Succeeded { .. }) => StepStatus::Succeeded,
        Some(NodeState::Failed { .. }) => StepStatus::Failed,
        Some(NodeState::Skipped { .. }) => StepStatus::Skipped,
        Some(NodeState::Cancelled { .. }) => StepStatus::Cancelled,
    }
}
