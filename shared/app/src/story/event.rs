//! One thing that happened in a run, and its name.

use std::{fmt, str::FromStr};

use domain::{Failure, NodeKey, RunStatus, Timestamp};
use engine::{Attempt, Revision, RunError, StepRecord};

/// Names an event for ever: the commit that made it so, and its place among the events of that commit, from 1. As text, `5.2`.
/// Later events have greater ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The commit; 0 is the run's acceptance.
    pub revision: Revision,
    /// Its place.
    pub place: u32,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.revision, self.place)
    }
}

/// Why a text names no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event's id is two whole numbers with a dot between them")]
pub struct InvalidEventId;

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        let (revision, place) = text.split_once('.').ok_or(InvalidEventId)?;
        let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !(is_plain(revision) && is_plain(place)) {
            return Err(InvalidEventId);
        }
        let (revision, place) = (revision.parse().ok(), place.parse().ok());
        revision.zip(place).map(|(revision, place)| Self { revision, place }).ok_or(InvalidEventId)
    }
}

/// One thing that happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event<'a> {
    /// Its name.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happened<'a>,
}

/// What it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Happened<'a> {
    /// The run was accepted.
    RunAccepted,
    /// A worker first looked at the run.
    RunStarted,
    /// An attempt of a node began.
    StepStarted {
        /// The node.
        node: &'a NodeKey,
        /// The attempt.
        attempt: Attempt,
    },
    /// A node that began waits for a time, for people or for other runs.
    StepWaiting {
        /// The node.
        node: &'a NodeKey,
        /// The attempt, which is always the first: waiting is not tried again.
        attempt: Attempt,
        /// When the waiting is over in any case, if there is such a time, for as long as it waits.
        until: Option<Timestamp>,
    },
    /// An attempt ended well, or badly and the node's default output was taken.
    StepSucceeded {
        /// What is kept of the attempt.
        record: &'a StepRecord,
        /// The label that the node chose, if its type chooses.
        label: Option<&'a str>,
    },
    /// An attempt failed and another one follows.
    StepRetrying {
        /// What is kept of the attempt.
        record: &'a StepRecord,
        /// Why.
        failure: &'a Failure,
        /// When the next attempt may begin, for as long as it has not begun.
        retry_on: Option<Timestamp>,
    },
    /// An attempt failed for good, and its node with it.
    StepFailed {
        /// What is kept of the attempt.
        record: &'a StepRecord,
        /// Why.
        failure: &'a Failure,
    },
    /// No live edge leads to the node.
    StepSkipped {
        /// The node.
        node: &'a NodeKey,
    },
    /// The run ended before the node did.
    StepCancelled {
        /// The node.
        node: &'a NodeKey,
    },
    /// The run ended.
    RunEnded {
        /// How.
        status: RunStatus,
        /// Why it failed, if it did.
        error: Option<&'a RunError>,
    },
}

impl Happened<'_> {
    /// The word for programs: `run.accepted`, `step.succeeded` and so on.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RunAccepted => "run.accepted",
            Self::RunStarted => "run.started",
            Self::StepStarted { .. } => "step.started",
            Self::StepWaiting { .. } => "step.waiting",
            Self::StepSucceeded { .. } => "step.succeeded",
            Self::StepRetrying { .. } => "step.retrying",
            Self::StepFailed { .. } => "step.failed",
            Self::StepSkipped { .. } => "step.skipped",
            Self::StepCancelled { .. } => "step.cancelled",
            Self::RunEnded { status: RunStatus::Succeeded, .. } => "run.succeeded",
            Self::RunEnded { status: RunStatus::Cancelled, .. } => "run.cancelled",
            Self::RunEnded { .. } => "run.failed",
        }
    }

    /// The node that it happened to, if it happened to one.
    pub const fn node(&self) -> Option<&NodeKey> {
        match self {
            Self::StepStarted { node, .. }
            | Self::StepWaiting { node, .. }
            | Self::StepSkipped { node }
            | Self::StepCancelled { node } => Some(node),
            Self::StepSucceeded { record, .. }
            | Self::StepRetrying { record, .. }
            | Self::StepFailed { record, .. } => Some(&record.node),
            Self::RunAccepted | Self::RunStarted | Self::RunEnded { .. } => None,
        }
    }

    /// The attempt that it happened to, if it happened to one.
    pub const fn attempt(&self) -> Option<Attempt> {
        match self {
            Self::StepStarted { attempt, .. } | Self::StepWaiting { attempt, .. } => Some(*attempt),
            Self::StepSucceeded { record, .. }
            | Self::StepRetrying { record, .. }
            | Self::StepFailed { record, .. } => Some(record.attempt),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_and_nothing_else_is_one() {
        let id = EventId { revision: 12, place: 3 };
        assert_eq!((id.to_string().as_str(), "12.3".parse()), ("12.3", Ok(id)));
        for bad in ["", ".", "1", "1.", ".1", "1.-2", "+1.2", "1.2.3", " 1.2", "a.b", "1.99999999999", "1,2"]
        {
            assert_eq!(bad.parse::<EventId>(), Err(InvalidEventId), "{bad:?}");
        }
    }

    #[test]
    fn later_events_have_greater_ids_also_beyond_nine() {
        let ids = ["0.1", "1.1", "1.9", "1.10", "2.1", "10.1"].map(|id| id.parse::<EventId>().unwrap());
        assert!(ids.is_sorted());
    }
}
