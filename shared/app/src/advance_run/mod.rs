//! Moving a run on: load → advance → commit → dispatch → acknowledge (engine.md, Advancing a run).
//!
//! The committed control state is the only truth, and everything a worker does is derived from it, so a worker may be lost at
//! any point:
//! - before a commit, nothing happened; the message comes back and everything is decided again;
//! - after a commit and before its dispatch, the message comes back with a higher receive count, and then every node that may
//!   be claimed gets a hint again, not only the newly ready ones;
//! - while it executes a node, the claim's lease ends and another worker claims the next attempt.
//!
//! A message that finds its work guarded by nothing but another worker's lease, or by a time that has not come, sends itself
//! again for that time instead of just vanishing: should that worker be lost, the run goes on when its lease ends. It is sent
//! anew and not left to the queue, so that a receive count above one always means a crash or a failure, and waiting never
//! brings a message nearer to the dead letters.

mod calls;
mod leftovers;
pub(crate) mod time;
mod worker;

use std::{collections::BTreeMap, fmt};

use domain::{RunStatus, Timestamp, VersionId};
use engine::{Digest, Violation};

pub use time::{GRACE, MARGIN};
pub use worker::{Worker, advance_run};

use crate::ports::StoreError;

/// How a message reached this worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Names the message, the same at each delivery.
    pub message: MessageName,
    /// How often the queue has delivered it, from 1.
    pub receive_count: u32,
    /// When this invocation began.
    pub started_on: Timestamp,
    /// When this invocation will be killed.
    pub deadline: Timestamp,
}

/// A short name of a message: so much of the digest of the queue's own name for it as tells the few of one run apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageName([u8; 8]);

impl MessageName {
    /// The name of the message that the queue calls by this id.
    pub fn of(id: &str) -> Self {
        let digest = Digest::of_bytes(id.as_bytes());
        let mut name = [0; 8];
        name.copy_from_slice(&digest.as_str().as_bytes()[..8]);
        Self(name)
    }
}

impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl Delivery {
    /// Whether an earlier delivery of the message crashed or failed.
    pub const fn is_repeat(&self) -> bool {
        self.receive_count > 1
    }
}

/// What a message came to; it may be acknowledged. For logs and metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advanced {
    /// Commits of the control state.
    pub commits: u32,
    /// Hints sent.
    pub hints: u32,
    /// Attempts executed by this worker.
    pub calls: u32,
    /// What attempts came to, by node type.
    pub steps: BTreeMap<(String, StepOutcome), u32>,
    /// How the run ended, if it did here.
    pub run_ended: Option<RunStatus>,
    /// When a copy of the message will come back, if others' work is to be looked after.
    pub comes_back_on: Option<Timestamp>,
}

/// What a committed attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepOutcome {
    /// Its node has an output.
    Succeeded,
    /// Its node failed for good.
    Failed,
    /// Another attempt will follow.
    Retried,
}

impl StepOutcome {
    /// The word used in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Retried => "retried",
        }
    }
}

/// Why a message must come back.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// A store or the queue failed, or too many workers changed the run at once.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run's version is gone. Left for the dead letters.
    #[error("version {0} is not in the run store")]
    VersionMissing(VersionId),
    /// The run's version was published by rules that this code no longer accepts. Left for the dead letters.
    #[error("version {id} does not compile: {violations:?}")]
    VersionInvalid {
        /// The version.
        id: VersionId,
        /// Why not.
        violations: Vec<Violation>,
    },
}
