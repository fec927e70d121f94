//! The file that runs leave in: JSON Lines, a run on each line with all that is known of it.

use std::collections::BTreeSet;

use domain::{Failure, NodeKey, Priority, RunId, RunStatus, Timestamp, Trigger, VersionId, WorkflowId};
use engine::{Attempt, Digest, RunError, StepRecord, run_result};
use serde::Serialize;
use serde_json::Value;

use crate::ports::{LoadedRun, StoreError, unavailable};

/// Lines of a file to be.
#[derive(Default)]
pub(super) struct Export {
    lines: Vec<Line>,
}

struct Line {
    run: RunId,
    created_on: Timestamp,
    json: String,
}

/// A run as it is exported. Fields are added and never change their meaning.
#[derive(Serialize)]
struct ExportedRun<'a> {
    id: RunId,
    workflow_id: WorkflowId,
    version_id: VersionId,
    status: RunStatus,
    trigger: &'a Trigger,
    priority: Priority,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_run_id: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_of: Option<RunId>,
    created_on: Timestamp,
    started_on: Option<Timestamp>,
    finished_on: Option<Timestamp>,
    inputs: &'a Value,
    result: Option<Value>,
    error: &'a Option<RunError>,
    /// Every attempt, those of the items of a `for_each` as `<node>.<item>`.
    steps: Vec<ExportedStep<'a>>,
}

#[derive(Serialize)]
struct ExportedStep<'a> {
    node: &'a NodeKey,
    attempt: Attempt,
    started_on: Timestamp,
    finished_on: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
    /// Whether another attempt followed.
    retried: bool,
    log: &'a [String],
}

impl Export {
    /// Adds a run with its steps.
    pub(super) fn add(&mut self, loaded: &LoadedRun, steps: &[StepRecord]) -> Result<(), StoreError> {
        let LoadedRun { run, values, .. } = loaded;
        let exported = ExportedRun {
            id: run.id,
            workflow_id: run.workflow_id,
            version_id: run.version_id,
            status: run.status,
            trigger: &run.trigger,
            priority: run.priority,
            parent_run_id: run.parent.as_ref().map(|parent| parent.run_id),
            retry_of: run.retry_of.as_ref().map(|retry| retry.run_id),
            created_on: run.created_on,
            started_on: run.started_on,
            finished_on: run.finished_on,
            inputs: &values.inputs,
            result: run_result(run, values),
            error: &run.error,
            steps: steps.iter().map(ExportedStep::of).collect(),
        };
        let json = serde_json::to_string(&exported).map_err(unavailable("export a run"))?;
        self.lines.push(Line { run: run.id, created_on: run.created_on, json });
        Ok(())
    }

    /// Bytes so far.
    pub(super) fn bytes(&self) -> usize {
        self.lines.iter().map(|line| line.json.len() + 1).sum()
    }

    /// The runs in it.
    pub(super) fn runs(&self) -> Vec<RunId> {
        self.lines.iter().map(|line| line.run).collect()
    }

    /// Leaves these runs out.
    pub(super) fn leave_out(&mut self, runs: &BTreeSet<RunId>) {
        self.lines.retain(|line| !runs.contains(&line.run));
    }

    /// The file, named by the day of its first run and by its content; None of no runs.
    pub(super) fn file(&self) -> Option<(String, Vec<u8>)> {
        let day = self.lines.first()?.created_on.format("%Y-%m-%d");
        let mut bytes = Vec::with_capacity(self.bytes());
        for line in &self.lines {
            bytes.extend_from_slice(line.json.as_bytes());
            bytes.push(b'\n');
        }
        Some((format!("runs/{day}/{}.jsonl", Digest::of_bytes(&bytes)), bytes))
    }
}

impl<'a> ExportedStep<'a> {
    fn of(record: &'a StepRecord) -> Self {
        Self {
            node: &record.node,
            attempt: record.attempt,
            started_on: record.started_on,
            finished_on: record.finished_on,
            output: record.output.as_deref(),
            error: record.error.as_ref(),
            retried: record.retried,
            log: &record.notes,
        }
    }
}
