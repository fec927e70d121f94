//! A run as data: the control state that is committed, the step records beside it, the values they refer to.

mod digest;
mod family;
mod node;
mod record;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    Failure, NodeKey, Priority, RunId, RunStatus, TeamId, Timestamp, Trigger, VersionId, WorkflowId,
};
use serde::{Deserialize, Serialize};

pub use digest::Digest;
pub use family::{Children, Chunk, Parent, RetryFrom, RetryOf};
pub use node::{Abandoned, Awaited, NodeState, Vote};
pub use record::{Call, ResultSource, StepRecord, Values, error_value};

/// Counts the claims of one node from 1; the fencing number of engine.md. A result of an older attempt
/// changes nothing.
pub type Attempt = u32;

/// Counts the commits of a run from 1. What happened in a run has a place in its story by the commit that made it so.
pub type Revision = u64;

/// The control state of a run: small, and rewritten by every commit. Outputs stand in step records, never
/// here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The owner.
    pub team_id: TeamId,
    /// The workflow it belongs to.
    pub workflow_id: WorkflowId,
    /// The version it executes, for ever.
    pub version_id: VersionId,
    /// Commits so far; the next commit is conditional on it.
    pub revision: Revision,
    /// Where it stands.
    pub status: RunStatus,
    /// What started it.
    pub trigger: Trigger,
    /// Its class in the queue of the workers.
    #[serde(default, skip_serializing_if = "Priority::is_default")]
    pub priority: Priority,
    /// How many runs of its team may be under way at a time, this one included, for it to begin. None if it begins at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_running: Option<u32>,
    /// How many calls of its team may be under way at a time, those of its other runs included. None if any number may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_running_steps: Option<u32>,
    /// When it was accepted; the time that expressions see.
    pub created_on: Timestamp,
    /// When a worker first advanced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_on: Option<Timestamp>,
    /// The revision of the commit with which it began; 0 before.
    #[serde(default)]
    pub started_at: Revision,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<Timestamp>,
    /// State of each node that is past `blocked`.
    #[serde(default)]
    pub nodes: BTreeMap<NodeKey, NodeState>,
    /// How often a worker was lost while it held a node that is not settled yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub crashes: BTreeMap<NodeKey, u32>,
    /// How many deliveries of a message were counted as they began, and came neither to a commit nor to their end, by the message. The
    /// first is not counted, which would be a write more for every message.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lost_deliveries: BTreeMap<String, u32>,
    /// Attempts that were settled so far, those of its chunks included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps: u32,
    /// The runs that its nodes have started and have not seen end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<NodeKey, Children>,
    /// The run and the node that wait for this one, if it is a child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The run that this one goes on from, if it is a retry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<RetryOf>,
    /// When it fails if it has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Which outputs make the result, once succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultSource>,
    /// Why it failed, with the node that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// When the run must be looked at even if no message comes: the earliest lease, timer or, while work is
    /// ready, soon. None once it has ended, and what only its own workers would miss of that was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_check_on: Option<Timestamp>,
}

/// What is known of a run when it is accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Its id, drawn by the caller.
    pub id: RunId,
    /// The owner.
    pub team_id: TeamId,
    /// The workflow it belongs to.
    pub workflow_id: WorkflowId,
    /// The version it will execute.
    pub version_id: VersionId,
    /// What starts it.
    pub trigger: Trigger,
    /// Its class in the queue of the workers.
    pub priority: Priority,
    /// The present.
    pub created_on: Timestamp,
}

impl NewRun {
    /// A run that differs from `run` in what the caller sets.
    pub fn like(run: &Run) -> Self {
        Self {
            id: run.id,
            team_id: run.team_id,
            workflow_id: run.workflow_id,
            version_id: run.version_id,
            trigger: run.trigger.clone(),
            priority: run.priority,
            created_on: run.created_on,
        }
    }
}

/// How long work may stand ready before the run is looked at without a message.
pub const RECHECK: TimeDelta = TimeDelta::seconds(60);

/// How long a run may take where its version does not say.
pub const LONGEST_RUN: TimeDelta = TimeDelta::days(365);

impl Run {
    /// Whether it works on a part of another run's `for_each`. Such a run is an inner matter: lists leave it out.
    pub fn is_chunk(&self) -> bool {
        self.parent.as_ref().is_some_and(|parent| parent.chunk.is_some())
    }

    /// The time that its expressions see.
    pub fn time(&self) -> Timestamp {
        let chunk = self.parent.as_ref().and_then(|parent| parent.chunk.as_ref());
        chunk.map_or(self.created_on, |chunk| chunk.time)
    }

    /// The nodes whose call may begin now, in the order of their keys.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = &NodeKey> {
        let is_due = move |state: &NodeState| matches!(state, NodeState::Ready { not_before, .. } if not_before.is_none_or(|start| start <= now));
        self.nodes.iter().filter(move |(_, state)| is_due(state)).map(|(node, _)| node)
    }

    /// When the next message comes of a run that was postponed (see [`Event::Postponed`](crate::Event::Postponed)), if that still lies
    /// ahead of `now`, and of a clock that is a little behind.
    pub fn postponed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.next_check_on? - RECHECK;
        (self.status == RunStatus::Pending && until > now + TimeDelta::seconds(1)).then_some(until)
    }

    /// A run that was accepted: `pending`, every node blocked, revision 0, to be looked at within
    /// [`RECHECK`].
    pub fn start(new: NewRun) -> Self {
        Self {
            id: new.id,
            team_id: new.team_id,
            workflow_id: new.workflow_id,
            version_id: new.version_id,
            revision: 0,
            status: RunStatus::Pending,
            trigger: new.trigger,
            priority: new.priority,
            max_running: None,
            max_running_steps: None,
            created_on: new.created_on,
            started_on: None,
            started_at: 0,
            finished_on: None,
            nodes: BTreeMap::new(),
            crashes: BTreeMap::new(),
            lost_deliveries: BTreeMap::new(),
            steps: 0,
            children: BTreeMap::new(),
            parent: None,
            retry_of: None,
            deadline: None,
            result: None,
            error: None,
            next_check_on: Some(new.created_on + RECHECK),
        }
    }
}

/// The failure that ended a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    /// The node that failed; None where the run failed as a whole, as at its deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeKey>,
    /// Why.
    #[serde(flatten)]
    pub failure: Failure,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
