//! A run as data: the control state that is committed, the step records beside it, the values they refer to.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    io::{self, BufWriter, Write as _},
    mem,
    sync::Arc,
};

use chrono::TimeDelta;
use domain::{
    Failure, NodeKey, Priority, RunId, RunStatus, TeamId, Timestamp, Trigger, VersionId, WorkflowId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::expr::WithSecrets;

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
    /// How often a message was delivered again and came neither to a commit nor to its end, by the message.
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
    /// ready, soon. None once it has ended.
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
        /// Digest of the output; with attempt and commit it names the step record that holds it.
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

/// The runs that one node starts: one of a `workflow`, one for each chunk of a `for_each`. They are numbered from 0 and started in
/// order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Children {
    /// How many there will be.
    pub total: u32,
    /// How many were started.
    pub started: u32,
    /// Those that were started and have not been seen to end. Where their node is settled, they are to be cancelled.
    pub open: BTreeSet<u32>,
}

/// The node that a run is a child of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: NodeKey,
    /// The number of the child among the node's.
    pub child: u32,
    /// Which items of a `for_each` it works on, if it is a chunk and not a run of a whole workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<Chunk>,
}

/// A part of the items of a `for_each`. A run of one works on copies of the node's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The `for_each` node, by its key in each body on the way to it from the workflow.
    pub path: Vec<NodeKey>,
    /// The place of its first item among all.
    pub first: u32,
    /// How many items it has.
    pub items: u32,
    /// The most items that are in work at a time.
    pub at_once: u32,
    /// The time that expressions see, as in the run that the node is in.
    pub time: Timestamp,
}

/// What a retry goes on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryOf {
    /// The earlier run.
    pub run_id: RunId,
    /// Where it starts again.
    pub from: RetryFrom,
}

/// Where a retry starts again. What comes before keeps its recorded results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryFrom {
    /// At every node that failed or did not come to its end.
    Failed,
    /// At this node, and at every node that failed or did not come to its end.
    Node(NodeKey),
    /// At the beginning: nothing is kept.
    Start,
}

/// Which step outputs make a run's result; composed on reading, so that no value is stored twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultSource {
    /// The output of one `return`, or of the only leaf.
    Node(NodeKey),
    /// An object by node key.
    Object(Vec<NodeKey>),
    /// One for each item of a chunk.
    Items,
}

/// What is kept of one settled attempt of a node. Written before the commit that refers to it; never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The node.
    pub node: NodeKey,
    /// The attempt.
    pub attempt: Attempt,
    /// Digest of the output, or of the failure; with node, attempt and `settled_at` it names the record.
    pub digest: Digest,
    /// The output, where it succeeded. With `on_error: continue` both this and `error` are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Arc<Value>>,
    /// The failure, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// When the attempt began.
    pub started_on: Timestamp,
    /// When it was settled.
    pub finished_on: Timestamp,
    /// The revision of the commit that claimed it, or evaluated it where it is pure.
    pub claimed_at: Revision,
    /// The revision of the commit that settled it.
    pub settled_at: Revision,
    /// Whether another attempt follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retried: bool,
    /// What the connector has to tell, such as `GET api.example.com: 200 in 34 ms`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl StepRecord {
    /// What later nodes see of this attempt, for [`Values::outputs`]: its output, else its error as `{class,
    /// code, message}`.
    pub fn value(&self) -> Option<Arc<Value>> {
        self.output.clone().or_else(|| self.error.as_ref().map(|failure| Arc::new(error_value(failure))))
    }
}

/// A failure as expressions see it: `{class, code, message}`.
pub fn error_value(failure: &Failure) -> Value {
    json!({ "class": failure.class, "code": failure.code, "message": failure.message })
}

/// SHA-256 of a value's JSON, in hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of any JSON-like value. Object keys count in their order.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        Self::and_size_of(value).0
    }

    /// The digest, and the bytes of the JSON that it is of.
    pub fn and_size_of<T: Serialize + ?Sized>(value: &T) -> (Self, usize) {
        let mut writer = BufWriter::new(Hashing::default());
        // Values that reach this point were built from JSON, and hashing takes any bytes, so neither writing
        // nor flushing can fail.
        let _ =
            serde_json::to_writer(&mut writer, value).map_err(io::Error::from).and_then(|()| writer.flush());
        let Hashing { hash, bytes } = mem::take(writer.get_mut());
        (Self(hex::encode(hash.finalize())), bytes)
    }

    /// The digest of bytes as they are. Of a JSON text it is the digest of the value that the text was written from.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    /// Reads 64 lower-case hex digits; None if the text is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digest = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_digest.then(|| Self(text.to_owned()))
    }

    /// 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A writer that keeps nothing but the digest and the length.
#[derive(Default)]
struct Hashing {
    hash: Sha256,
    bytes: usize,
}

impl io::Write for Hashing {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.hash.update(part);
        self.bytes += part.len();
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The values that a run's control state refers to, read from its store.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// What the run was started with.
    pub inputs: Arc<Value>,
    /// Outputs of the nodes that succeeded, and `{class, code, message}` of those that failed.
    pub outputs: HashMap<NodeKey, Arc<Value>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// One attempt of an effectful node, ready to be executed by a connector.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The owner of the run; for limits and breakers.
    pub team_id: TeamId,
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: NodeKey,
    /// The claim under which it runs.
    pub attempt: Attempt,
    /// Its type, such as `get_api`.
    pub node_type: String,
    /// Its metadata with every template evaluated.
    pub config: Value,
    /// Texts of it that secrets are still to be put into, which only a connector does. They are named here and not marked in the text, since a
    /// text may hold what a stranger sent.
    pub secrets: Vec<WithSecrets>,
    /// The same on every attempt: `<run>:<node>:<item>` (engine.md).
    pub idempotency_key: String,
    /// Seconds this attempt may take, as the node says.
    pub timeout_s: u32,
}
