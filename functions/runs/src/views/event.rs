//! What happened in a run, as clients see it.

use app::story::{Event, Happened};
use domain::{NodeKey, Timestamp};
use engine::Attempt;
use serde::Serialize;
use utoipa::ToSchema;

use super::{FailureView, ms_between};

/// One message of the stream (WHATWG HTML, server-sent events): an event, or only when to come back.
#[derive(ToSchema)]
#[schema(as = Message)]
#[expect(dead_code, reason = "describes what axum writes, which knows no OpenAPI")]
pub(crate) struct MessageDoc {
    /// The event's id.
    #[schema(example = "5.2")]
    id: Option<String>,
    /// The event's kind.
    #[schema(example = "step.succeeded")]
    event: Option<String>,
    /// The event as JSON, as the run's timeline shows it.
    #[schema(
        content_media_type = "application/json",
        example = r#"{"id":"5.2","event":"step.succeeded","ts":"2026-11-22T09:30:00Z","offset_ms":183,"node":"fetch_orders"}"#
    )]
    data: Option<String>,
    /// After how many milliseconds to come back.
    #[schema(example = 500)]
    retry: Option<u32>,
}

/// One thing that happened in a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView {
    /// Names the event for ever; what `Last-Event-ID` takes. Two numbers: the commit of the run, and the event's place in it.
    #[schema(example = "5.2")]
    pub(crate) id: String,
    /// `run.accepted`, `run.started`, `step.started`, `step.waiting`, `step.succeeded`, `step.retrying`, `step.failed`,
    /// `step.skipped`, `step.cancelled`, `run.succeeded`, `run.failed` or `run.cancelled`.
    #[schema(example = "step.succeeded")]
    pub(crate) event: &'static str,
    #[schema(value_type = String, format = DateTime)]
    ts: Timestamp,
    /// Milliseconds since the run was accepted.
    #[schema(example = 183)]
    offset_ms: u64,
    /// The node, where it happened to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "fetch_orders")]
    node: Option<NodeKey>,
    /// The attempt, where it happened to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>, example = 1)]
    attempt: Option<Attempt>,
    /// The label that the node chose, if its type chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// How long the attempt took, or the run from its acceptance to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 180)]
    duration_ms: Option<u64>,
    /// When the next attempt may begin, for as long as it has not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    retry_on: Option<Timestamp>,
    /// When the waiting is over in any case, for as long as it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Why the attempt failed, also where a default output was taken in its place, or why the run did.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FailureView>,
}

impl EventView {
    pub(crate) fn of(event: &Event<'_>, accepted_on: Timestamp) -> Self {
        let bare = Self {
            id: event.id.to_string(),
            event: event.what.kind(),
            ts: event.at,
            offset_ms: ms_between(accepted_on, event.at),
            node: event.what.node().cloned(),
            attempt: event.what.attempt(),
            label: None,
            duration_ms: None,
            retry_on: None,
            until: None,
            error: None,
        };
        match event.what {
            Happened::StepWaiting { until, .. } => Self { until, ..bare },
            Happened::StepSucceeded { record, label } => Self {
                label: label.map(str::to_owned),
                duration_ms: Some(ms_between(record.started_on, record.finished_on)),
                error: record.error.as_ref().map(FailureView::of),
                ..bare
            },
            Happened::StepRetrying { record, failure, retry_on } => Self {
                duration_ms: Some(ms_between(record.started_on, record.finished_on)),
                retry_on,
                error: Some(FailureView::of(failure)),
                ..bare
            },
            Happened::StepFailed { record, failure } => Self {
                duration_ms: Some(ms_between(record.started_on, record.finished_on)),
                error: Some(FailureView::of(failure)),
                ..bare
            },
            Happened::RunEnded { error, .. } => Self {
                duration_ms: Some(ms_between(accepted_on, event.at)),
                error: error.map(|error| FailureView::at(error.node.as_ref(), &error.failure)),
                ..bare
            },
            Happened::RunAccepted
            | Happened::RunStarted
            | Happened::StepStarted { .. }
            | Happened::StepSkipped { .. }
            | Happened::StepCancelled { .. } => bare,
        }
    }
}
