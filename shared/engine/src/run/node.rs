//! Where the nodes of a run stand.

use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Attempt, Digest, Revision};

/// Where one node of a run stands. A node without a state is blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum NodeState {
    /// An effectful node that may be claimed as `attempt`, from `not_before` on.
    Ready {
        /// The number that the claim will have.
        attempt: Attempt,
        /// Start of the retry, if it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Timestamp>,
    },
    /// Claimed by a worker until the lease ends.
    Running {
        /// The fencing number of the claim.
        attempt: Attempt,
        /// When it was claimed.
        started_on: Timestamp,
        /// From when on another worker may claim it.
        lease_until: Timestamp,
        /// The revision of the commit that claimed it.
        claimed_at: Revision,
    },
    /// Nobody works on it: it goes on at a time, by a decision, or when its children have ended.
    Waiting {
        /// The attempt that waits; always 1, since waiting is not tried again.
        attempt: Attempt,
        /// When it began.
        started_on: Timestamp,
        /// When the waiting is over in any case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// The revision of the commit that let it wait.
        claimed_at: Revision,
        /// What for.
        on: Awaited,
    },
    /// Settled with an output.
    Succeeded {
        /// The attempt that did; 1 for pure nodes.
        attempt: Attempt,
        /// Digest of the output, and where that is a default, of the failure that it stands for; with attempt and commit it names the step
        /// record that holds it.
        output: Digest,
        /// The revision of the commit that settled it.
        settled_at: Revision,
        /// The label it chose, if its type chooses. `split` into parts chooses none: all its labelled edges
        /// are live.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    },
    /// Settled with an error.
    Failed {
        /// The attempt that did.
        attempt: Attempt,
        /// Digest of the error; with attempt and commit it names the step record that holds it.
        output: Digest,
        /// The revision of the commit that settled it.
        settled_at: Revision,
        /// Whether an `error` edge takes it further.
        handled: bool,
    },
    /// No live edge leads to it.
    Skipped {
        /// The revision of the commit that found so.
        settled_at: Revision,
    },
    /// The run, its item or what it depends on ended before it did.
    Cancelled {
        /// The revision of the commit that made it so.
        settled_at: Revision,
        /// The attempt that was under way, if one was: it began, though nobody will hear of its end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        abandoned: Option<Abandoned>,
    },
}

/// An attempt that was under way when its node was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abandoned {
    /// Which.
    pub attempt: Attempt,
    /// When it began.
    pub started_on: Timestamp,
    /// The revision of the commit that claimed it.
    pub claimed_at: Revision,
}

impl NodeState {
    /// Whether the node will not change any more.
    pub const fn is_settled(&self) -> bool {
        !matches!(self, Self::Ready { .. } | Self::Running { .. } | Self::Waiting { .. })
    }

    /// The same end, taken over by a commit of another run.
    pub(crate) fn settled_again_at(self, revision: Revision) -> Self {
        match self {
            Self::Succeeded { attempt, output, label, .. } => {
                Self::Succeeded { attempt, output, settled_at: revision, label }
            }
            Self::Failed { attempt, output, handled, .. } => {
                Self::Failed { attempt, output, settled_at: revision, handled }
            }
            Self::Skipped { .. } => Self::Skipped { settled_at: revision },
            other => other,
        }
    }
}

/// What a node waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Awaited {
    /// Nothing but the time.
    Time,
    /// A decision of people.
    Approval {
        /// What is to be decided, for people.
        title: String,
        /// What was decided so far, in order.
        #[serde(default)]
        votes: Vec<Vote>,
    },
    /// The runs in [`Run::children`].
    Children,
}

/// One person's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who: the id of a member or service.
    pub by: String,
    /// Whether they approve.
    pub approves: bool,
    /// When.
    pub on: Timestamp,
    /// What they filled in; null where there was nothing to.
    #[serde(default)]
    pub form: Value,
}
