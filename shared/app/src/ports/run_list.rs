//! Lists of runs: which to show, and what of each (RUN-17).

use domain::{Failure, RunId, RunStatus, Timestamp, TriggerKind, VersionId, WorkflowId};
use engine::{Awaited, NodeState, Run};
use serde::{Deserialize, Serialize};

use crate::position::RunPosition;

/// The most characters of a failure's message that a list shows and a search finds.
pub const SUMMARY_MESSAGE_MAX: usize = 200;

/// Which runs to list. What is absent or empty filters nothing.
///
/// Team, workflow and time are what stores find runs by. All else is looked at run by run, so that a filter that few runs pass may give a
/// short page, or an empty one, whose cursor goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only of this workflow.
    pub workflow_id: Option<WorkflowId>,
    /// Only in one of these statuses.
    pub statuses: Vec<RunStatus>,
    /// Only started by this kind of event.
    pub trigger: Option<TriggerKind>,
    /// Only accepted at this time or later.
    pub from: Option<Timestamp>,
    /// Only accepted before this time.
    pub to: Option<Timestamp>,
    /// Only those that wait for a decision of people.
    pub asks_people: bool,
    /// Only those that a search finds.
    pub search: Option<Search>,
}

/// A text that people look for. It finds a run whose id begins with it, whose error has it in its code or in the first
/// [`SUMMARY_MESSAGE_MAX`] characters of its message (in any case), or whose workflow is one of some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    text: String,
    workflows: Vec<WorkflowId>,
}

impl Search {
    /// Looks for a text, and for runs of workflows that were found by it.
    pub fn new(text: &str, workflows: Vec<WorkflowId>) -> Self {
        Self { text: text.to_lowercase(), workflows }
    }

    /// The text in lower case.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The workflows.
    pub fn workflows(&self) -> &[WorkflowId] {
        &self.workflows
    }

    fn finds(&self, run: &RunSummary) -> bool {
        run.id.to_string().starts_with(&self.text)
            || self.workflows.contains(&run.workflow_id)
            || run.words().is_some_and(|words| words.contains(&self.text))
    }
}

impl RunFilter {
    /// Whether it shows this run of the team.
    pub fn shows(&self, run: &RunSummary) -> bool {
        self.workflow_id.is_none_or(|workflow| run.workflow_id == workflow)
            && (self.statuses.is_empty() || self.statuses.contains(&run.status))
            && self.trigger.is_none_or(|trigger| run.trigger == trigger)
            && self.from.is_none_or(|from| run.created_on >= from)
            && self.to.is_none_or(|to| run.created_on < to)
            && (!self.asks_people || run.asks_since.is_some())
            && self.search.as_ref().is_none_or(|search| search.finds(run))
    }
}

/// A page of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPage {
    /// Newest first.
    pub items: Vec<RunSummary>,
    /// Where the next page begins; opaque. None at the end.
    pub next_cursor: Option<String>,
}

impl RunPage {
    /// The page of these runs, of which a store reads one more than the page holds to see whether there is another. `reached` is where
    /// the store stopped looking before it came to the end.
    pub fn cut(mut items: Vec<RunSummary>, limit: u32, reached: Option<RunPosition>) -> Self {
        let limit = limit as usize;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| has_more).map(RunPosition::of_summary);
        Self { items, next_cursor: last.or(reached).map(|position| position.to_cursor()) }
    }
}

/// A run as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The version.
    pub version_id: VersionId,
    /// Where it stands.
    pub status: RunStatus,
    /// What started it.
    pub trigger: TriggerKind,
    /// When it was accepted.
    pub created_on: Timestamp,
    /// When it ended.
    pub finished_on: Option<Timestamp>,
    /// Since when it waits for a decision of people, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks_since: Option<Timestamp>,
    /// Why it failed, with [`SUMMARY_MESSAGE_MAX`] characters of the message.
    #[serde(default)]
    pub error: Option<Failure>,
}

impl RunSummary {
    /// What lists show of this run.
    pub fn of(run: &Run) -> Self {
        Self {
            id: run.id,
            workflow_id: run.workflow_id,
            version_id: run.version_id,
            status: run.status,
            trigger: run.trigger.kind,
            created_on: run.created_on,
            finished_on: run.finished_on,
            asks_since: asks_since(run),
            error: run.error.as_ref().map(|error| cut(&error.failure)),
        }
    }

    /// The words of its error that a search looks through, in lower case.
    pub fn words(&self) -> Option<String> {
        self.error.as_ref().map(|error| format!("{} {}", error.code, error.message).to_lowercase())
    }
}

/// Since when the first of its approvals waits.
fn asks_since(run: &Run) -> Option<Timestamp> {
    let waits = run.nodes.values().filter_map(|state| match state {
        NodeState::Waiting { on: Awaited::Approval { .. }, started_on, .. } => Some(*started_on),
        _ => None,
    });
    waits.min()
}

fn cut(failure: &Failure) -> Failure {
    let message: String = failure.message.chars().take(SUMMARY_MESSAGE_MAX).collect();
    Failure::new(failure.class, failure.code.clone(), message)
}
