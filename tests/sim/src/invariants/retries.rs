//! Rules of a run that goes on from another: what it keeps, it has as it was.

use std::collections::BTreeSet;

use domain::{NodeKey, RunStatus, Timestamp};
use engine::{NodeState, Run, StepRecord};

use super::{Rule, Violation};
use crate::books::Book;

/// Whether a run that was not begun has ended before it could take anything over.
pub fn ends_at_once(after: &Run) -> bool {
    after.status == RunStatus::Cancelled
        || after.error.as_ref().is_some_and(|error| error.failure.code == "workers_lost")
}

/// Every rule that is broken by what a run takes over with this commit.
pub fn check(
    after: &Run,
    records: &[StepRecord],
    earlier: &Book,
    kept: &BTreeSet<NodeKey>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for key in kept {
        let (is, was) = (after.nodes.get(key), earlier.run.nodes.get(key));
        // Workers that raced for one commit may have left other times in its record.
        let (started_on, finished_on) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        let written = |records: &[StepRecord]| {
            let own = records.iter().filter(|record| record.node == *key).cloned();
            let mut own: Vec<_> = own
                .map(|record| StepRecord { claimed_at: 0, settled_at: 0, started_on, finished_on, ..record })
                .collect();
            own.sort_by_key(|record| record.attempt);
            own
        };
        if is.map(timeless) != was.map(timeless) || written(records) != written(&earlier.records) {
            let story = format!("{key} was {was:?} and is {is:?}, with the records {:?}", written(records));
            found.push(Violation::new(Rule::KeptIsKept, story));
        }
    }
    found
}

/// A state without the commit that made it.
fn timeless(state: &NodeState) -> NodeState {
    match state.clone() {
        NodeState::Succeeded { attempt, output, label, .. } => {
            NodeState::Succeeded { attempt, output, label, settled_at: 0 }
        }
        NodeState::Failed { attempt, output, handled, .. } => {
            NodeState::Failed { attempt, output, handled, settled_at: 0 }
        }
        NodeState::Skipped { .. } => NodeState::Skipped { settled_at: 0 },
        other => other,
    }
}
