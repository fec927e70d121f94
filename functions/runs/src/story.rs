//! What happened in a run, in order, derived from what is kept of it anyway.

use app::ports::LoadedRun;
use domain::{Failure, NodeKey, RunStatus, Timestamp};
use engine::{Attempt, NodeState, StepRecord};

/// One thing that happened.
pub(crate) struct Moment<'a> {
    pub(crate) at: Timestamp,
    pub(crate) what: Happened<'a>,
}

/// What it was.
pub(crate) enum Happened<'a> {
    /// The run was accepted.
    Accepted,
    /// A worker first looked at the run.
    Started,
    /// An attempt of a node began.
    StepStarted { node: &'a NodeKey, attempt: Attempt },
    /// An attempt of a node ended well, or badly and its default output was taken.
    StepSucceeded { record: &'a StepRecord },
    /// An attempt of a node failed.
    StepFailed { record: &'a StepRecord, failure: &'a Failure },
    /// The run ended.
    Ended { status: RunStatus, error: Option<(Option<&'a NodeKey>, &'a Failure)> },
}

/// The run's story so far. At the same instant, what causes comes before what is caused.
pub(crate) fn of(loaded: &LoadedRun) -> Vec<Moment<'_>> {
    let run = &loaded.run;
    let mut story = vec![Moment { at: run.created_on, what: Happened::Accepted }];
    story.extend(run.started_on.map(|at| Moment { at, what: Happened::Started }));
    // Records are in order of their start, and within one instant in the order of the commit.
    story.extend(loaded.records.iter().flat_map(attempt));
    story.extend(run.nodes.iter().filter_map(|(node, state)| match state {
        NodeState::Running { attempt, started_on, .. } => {
            Some(Moment { at: *started_on, what: Happened::StepStarted { node, attempt: *attempt } })
        }
        _ => None,
    }));
    story.sort_by_key(|moment| moment.at);
    if run.status.is_terminal() {
        let error = run.error.as_ref().map(|error| (error.node.as_ref(), &error.failure));
        let at = run.finished_on.unwrap_or(run.created_on);
        story.push(Moment { at, what: Happened::Ended { status: run.status, error } });
    }
    story
}

fn attempt(record: &StepRecord) -> [Moment<'_>; 2] {
    let started = Happened::StepStarted { node: &record.node, attempt: record.attempt };
    let ended = match (&record.output, &record.error) {
        (None, Some(failure)) => Happened::StepFailed { record, failure },
        _ => Happened::StepSucceeded { record },
    };
    [Moment { at: record.started_on, what: started }, Moment { at: record.finished_on, what: ended }]
}
