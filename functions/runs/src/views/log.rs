//! What happened in a run, as sentences.

use app::story::{Event, Happened};
use domain::{Failure, NodeKey, RunStatus, Timestamp};
use engine::StepRecord;
use serde::Serialize;
use utoipa::ToSchema;

use super::ms_between;

/// One sentence of a run's log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogLine {
    #[schema(value_type = String, format = DateTime)]
    ts: Timestamp,
    /// `info`, `warn` or `error`.
    #[schema(example = "info")]
    level: &'static str,
    /// A sentence, free of secrets and bodies.
    #[schema(example = "3 orders")]
    message: String,
    /// The node, where it is about one.
    #[schema(value_type = Option<String>, example = "fetch_orders")]
    node: Option<NodeKey>,
}

impl LogLine {
    /// The sentences about one thing that happened: what a connector had to tell, then what came of it.
    pub(crate) fn of(event: &Event<'_>) -> Vec<Self> {
        let line = |level, message: String, node: Option<&NodeKey>| Self {
            ts: event.at,
            level,
            message,
            node: node.cloned(),
        };
        let notes = |record: &StepRecord| -> Vec<Self> {
            record.notes.iter().map(|note| line("info", note.clone(), Some(&record.node))).collect()
        };
        let (level, message) = sentence(&event.what);
        let about = match event.what {
            Happened::RunEnded { error, .. } => error.and_then(|error| error.node.as_ref()),
            _ => event.what.node(),
        };
        let mut lines = match event.what {
            Happened::StepSucceeded { record, .. }
            | Happened::StepRetrying { record, .. }
            | Happened::StepFailed { record, .. } => notes(record),
            _ => Vec::new(),
        };
        lines.push(line(level, message, about));
        lines
    }
}

/// The level, and the sentence.
fn sentence(what: &Happened<'_>) -> (&'static str, String) {
    match what {
        Happened::RunAccepted => ("info", "The run was accepted.".to_owned()),
        Happened::RunStarted => ("info", "A worker took the run.".to_owned()),
        Happened::StepStarted { node, attempt: 1 } => ("info", format!("{node} started.")),
        Happened::StepStarted { node, attempt } => {
            ("info", format!("{node} started again, attempt {attempt}."))
        }
        Happened::StepWaiting { node, until, .. } => {
            let end = until.map(|until| format!(", until {until} at the latest")).unwrap_or_default();
            ("info", format!("{node} waits{end}."))
        }
        Happened::StepSucceeded { record, .. } => match &record.error {
            None => {
                let ms = ms_between(record.started_on, record.finished_on);
                ("info", format!("{} succeeded in {ms} ms.", record.node))
            }
            Some(failure) => {
                ("warn", format!("{} failed and goes on with its default: {}", record.node, cause(failure)))
            }
        },
        Happened::StepRetrying { record, failure, .. } => {
            ("warn", format!("{} failed and will be tried again: {}", record.node, cause(failure)))
        }
        Happened::StepFailed { record, failure } => {
            ("error", format!("{} failed: {}", record.node, cause(failure)))
        }
        Happened::StepSkipped { node } => ("info", format!("{node} was skipped: no branch leads to it.")),
        Happened::StepCancelled { node } => ("info", format!("{node} was cancelled with the run.")),
        Happened::RunEnded { status: RunStatus::Succeeded, .. } => ("info", "The run succeeded.".to_owned()),
        Happened::RunEnded { status: RunStatus::Cancelled, .. } => {
            ("warn", "The run was cancelled.".to_owned())
        }
        Happened::RunEnded { error: Some(error), .. } => {
            let place = error.node.as_ref().map(|node| format!(" at {node}")).unwrap_or_default();
            ("error", format!("The run failed{place}: {}", cause(&error.failure)))
        }
        Happened::RunEnded { error: None, .. } => ("error", "The run failed.".to_owned()),
    }
}

/// The failure's message with its code, ended by a full stop.
fn cause(failure: &Failure) -> String {
    format!("{} ({}).", failure.message.trim_end_matches('.'), failure.code)
}
