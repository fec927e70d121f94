//! What happens in a run, as `heddle run --json` prints it. The words are those of the API's events.

use domain::{Failure, NodeKey, RunId, RunStatus, TeamId, Timestamp, VersionId, WorkflowId};
use engine::{Attempt, Run, RunError, StepRecord};
use serde::Serialize;
use serde_json::Value;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event")]
pub(crate) enum Event {
    /// The run was stored and will be executed.
    #[serde(rename = "run.accepted")]
    RunAccepted(Accepted),
    /// The run, which was interrupted, goes on.
    #[serde(rename = "run.resumed")]
    RunResumed(Accepted),
    /// A worker began an attempt of a node.
    #[serde(rename = "step.started")]
    StepStarted { node: NodeKey, attempt: Attempt, ts: Timestamp },
    /// A node that began waits for a time, for people or for other runs.
    #[serde(rename = "step.waiting")]
    StepWaiting {
        node: NodeKey,
        ts: Timestamp,
        /// When the waiting is over in any case, if there is such a time.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// An attempt gave the node an output; in place of a failure, where `error` is there.
    #[serde(rename = "step.succeeded")]
    StepSucceeded(Step),
    /// An attempt failed and another one follows.
    #[serde(rename = "step.retrying")]
    StepRetrying(Step),
    /// An attempt failed for good.
    #[serde(rename = "step.failed")]
    StepFailed(Step),
    /// No live edge leads to the node.
    #[serde(rename = "step.skipped")]
    StepSkipped { node: NodeKey },
    /// The run ended before the node did.
    #[serde(rename = "step.cancelled")]
    StepCancelled { node: NodeKey },
    /// The run ended with a result.
    #[serde(rename = "run.succeeded")]
    RunSucceeded(Ended),
    /// The run ended by a failure that nothing handled.
    #[serde(rename = "run.failed")]
    RunFailed(Ended),
    /// Someone cancelled the run.
    #[serde(rename = "run.cancelled")]
    RunCancelled(Ended),
}

/// The run that is told about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Accepted {
    pub(crate) run_id: RunId,
    pub(crate) team_id: TeamId,
    pub(crate) workflow_id: WorkflowId,
    pub(crate) workflow_name: String,
    pub(crate) version_id: VersionId,
    /// When it was accepted.
    pub(crate) ts: Timestamp,
}

/// An attempt that ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Step {
    pub(crate) node: NodeKey,
    pub(crate) attempt: Attempt,
    pub(crate) ts: Timestamp,
    pub(crate) duration_ms: u64,
    /// The label it chose, if its type chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Failure>,
    /// When the next attempt may begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_on: Option<Timestamp>,
    /// What the connector has to tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

impl Step {
    pub(crate) fn of(record: &StepRecord, label: Option<&str>, retry_on: Option<Timestamp>) -> Self {
        Self {
            node: record.node.clone(),
            attempt: record.attempt,
            ts: record.finished_on,
            duration_ms: ms_between(record.started_on, record.finished_on),
            label: label.map(str::to_owned),
            error: record.error.clone(),
            retry_on,
            notes: record.notes.clone(),
        }
    }
}

/// The end of a run, with the fields that `POST /api/v1/runs` answers when it waited for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Ended {
    pub(crate) run_id: RunId,
    pub(crate) status: RunStatus,
    pub(crate) result: Option<Value>,
    pub(crate) error: Option<RunError>,
    pub(crate) created_on: Timestamp,
    pub(crate) finished_on: Option<Timestamp>,
    pub(crate) duration_ms: Option<u64>,
}

impl Event {
    /// The end of `run`, which gave `result`.
    pub(crate) fn end_of(run: &Run, result: Option<Value>) -> Self {
        let ended = Ended {
            run_id: run.id,
            status: run.status,
            result,
            error: run.error.clone(),
            created_on: run.created_on,
            finished_on: run.finished_on,
            duration_ms: run.finished_on.map(|end| ms_between(run.created_on, end)),
        };
        match run.status {
            RunStatus::Succeeded => Self::RunSucceeded(ended),
            RunStatus::Cancelled => Self::RunCancelled(ended),
            _ => Self::RunFailed(ended),
        }
    }
}

/// Whole milliseconds between two moments; 0 should a clock have gone back.
fn ms_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from((to - from).num_milliseconds()).unwrap_or_default()
}
