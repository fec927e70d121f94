//! A run's story as entries and as sentences.

use domain::{Failure, NodeKey, RunStatus, Timestamp};
use engine::Attempt;
use serde::Serialize;
use utoipa::ToSchema;

use super::ms_between;
use crate::story::{Happened, Moment};

/// One thing that happened in a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TimelineEntry {
    #[schema(value_type = String, format = DateTime)]
    ts: Timestamp,
    /// Milliseconds since the run was accepted.
    offset_ms: u64,
    /// `run_accepted`, `run_started`, `step_started`, `step_succeeded`, `step_retried`, `step_failed`, `run_succeeded`, `run_failed`
    /// or `run_cancelled`.
    event: &'static str,
    /// The node, where it happened to one.
    #[schema(value_type = Option<String>)]
    node: Option<NodeKey>,
    /// The attempt, where it happened to a node.
    attempt: Option<Attempt>,
}

impl TimelineEntry {
    pub(crate) fn of(moment: &Moment<'_>, accepted_on: Timestamp) -> Self {
        let (event, at) = match &moment.what {
            Happened::Accepted => ("run_accepted", None),
            Happened::Started => ("run_started", None),
            Happened::StepStarted { node, attempt } => ("step_started", Some((*node, *attempt))),
            Happened::StepSucceeded { record } => ("step_succeeded", Some((&record.node, record.attempt))),
            Happened::StepFailed { record, .. } if record.retried => {
                ("step_retried", Some((&record.node, record.attempt)))
            }
            Happened::StepFailed { record, .. } => ("step_failed", Some((&record.node, record.attempt))),
            Happened::Ended { status: RunStatus::Succeeded, .. } => ("run_succeeded", None),
            Happened::Ended { status: RunStatus::Cancelled, .. } => ("run_cancelled", None),
            Happened::Ended { .. } => ("run_failed", None),
        };
        let (node, attempt) = at.map(|(node, attempt)| (node.clone(), attempt)).unzip();
        Self { ts: moment.at, offset_ms: ms_between(accepted_on, moment.at), event, node, attempt }
    }
}

/// One sentence of a run's log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogLine {
    #[schema(value_type = String, format = DateTime)]
    ts: Timestamp,
    /// `info`, `warn` or `error`.
    level: &'static str,
    /// A sentence, free of secrets and bodies.
    message: String,
    /// The node, where it is about one.
    #[schema(value_type = Option<String>)]
    node: Option<NodeKey>,
}

impl LogLine {
    /// The sentences about one thing that happened: what a connector had to tell, then what came of it.
    pub(crate) fn of(moment: &Moment<'_>) -> Vec<Self> {
        let line = |level, message: String, node: Option<&NodeKey>| Self {
            ts: moment.at,
            level,
            message,
            node: node.cloned(),
        };
        match &moment.what {
            Happened::Accepted => vec![line("info", "The run was accepted.".to_owned(), None)],
            Happened::Started => vec![line("info", "A worker took the run.".to_owned(), None)],
            Happened::StepStarted { node, attempt: 1 } => {
                vec![line("info", format!("{node} started."), Some(node))]
            }
            Happened::StepStarted { node, attempt } => {
                vec![line("info", format!("{node} started again, attempt {attempt}."), Some(node))]
            }
            Happened::StepSucceeded { record } => {
                let ms = ms_between(record.started_on, record.finished_on);
                let ended = match &record.error {
                    None => {
                        line("info", format!("{} succeeded in {ms} ms.", record.node), Some(&record.node))
                    }
                    Some(failure) => {
                        let message = format!(
                            "{} failed and goes on with its default: {}",
                            record.node,
                            sentence(failure)
                        );
                        line("warn", message, Some(&record.node))
                    }
                };
                record
                    .notes
                    .iter()
                    .map(|note| line("info", note.clone(), Some(&record.node)))
                    .chain([ended])
                    .collect()
            }
            Happened::StepFailed { record, failure } => {
                let (level, what) = if record.retried {
                    ("warn", "failed and will be tried again")
                } else {
                    ("error", "failed")
                };
                let ended =
                    line(level, format!("{} {what}: {}", record.node, sentence(failure)), Some(&record.node));
                record
                    .notes
                    .iter()
                    .map(|note| line("info", note.clone(), Some(&record.node)))
                    .chain([ended])
                    .collect()
            }
            Happened::Ended { status: RunStatus::Succeeded, .. } => {
                vec![line("info", "The run succeeded.".to_owned(), None)]
            }
            Happened::Ended { status: RunStatus::Cancelled, .. } => {
                vec![line("warn", "The run was cancelled.".to_owned(), None)]
            }
            Happened::Ended { error: Some((node, failure)), .. } => {
                let place = node.map(|node| format!(" at {node}")).unwrap_or_default();
                vec![line("error", format!("The run failed{place}: {}", sentence(failure)), *node)]
            }
            Happened::Ended { error: None, .. } => vec![line("error", "The run failed.".to_owned(), None)],
        }
    }
}

/// The failure's message with its code, ended by a full stop.
fn sentence(failure: &Failure) -> String {
    format!("{} ({}).", failure.message.trim_end_matches('.'), failure.code)
}
