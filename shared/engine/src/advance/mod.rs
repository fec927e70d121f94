//! One step of a run: what happened + what is stored → what is stored next.

mod claim;
mod effects;
mod ending;
mod fuse;
mod retry;
mod settle;
mod transition;

use domain::{Failure, NodeKey, Timestamp};
use serde_json::Value;

use crate::{Attempt, Call, Plan, Run, StepRecord, Values};

pub use effects::{Effect, effects, live_leases, newly_ready};
pub use ending::run_result;
pub use settle::MAX_CRASHES;

use transition::Transition;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A message came, or a timer: look at what there is to do.
    Woken,
    /// A claimed attempt ended.
    Settled {
        /// The node.
        node: NodeKey,
        /// The claim it ran under.
        attempt: Attempt,
        /// Its output or failure.
        outcome: Result<Value, Failure>,
        /// Lines for the step's log.
        notes: Vec<String>,
    },
    /// Someone asked to cancel the run.
    CancelRequested,
}

/// Time and chance for one advance, and what the caller can take on.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The present.
    pub now: Timestamp,
    /// A random number in `0.0..1.0` for the jitter of retries.
    pub jitter: f64,
    /// The turn that the caller can give to one effectful node, if any.
    pub turn: Option<Turn>,
}

/// An offer to execute one effectful node right away, so that its claim is part of the same commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Only this node, as long as it is not settled; else, and with None, the first node that is due.
    pub node: Option<NodeKey>,
    /// Until when the claim holds.
    pub lease_until: Timestamp,
    /// Only nodes whose timeout is at most this many seconds.
    pub max_timeout_s: u32,
}

/// What to store and what to execute.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The next control state, `revision` counted up. None if nothing changed: there is nothing to commit.
    pub run: Option<Run>,
    /// Step records to write before the commit.
    pub records: Vec<StepRecord>,
    /// The attempt that the caller has claimed and must execute after the commit.
    pub call: Option<Call>,
}

/// An event that does not fit the run any more: an ordinary answer, since messages come late and twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The attempt was replaced by a later one, or its node is settled.
    #[error("attempt {attempt} of {node} is not the one that runs")]
    Stale {
        /// The node.
        node: NodeKey,
        /// The attempt that came late.
        attempt: Attempt,
    },
    /// The run has ended.
    #[error("the run has ended")]
    Ended,
}

/// Decides the next state of a run. Pure: the same arguments give an equal answer. `values` must hold the
/// value of every settled node of `run`.
///
/// - The first event takes the run from `pending` to `running`.
/// - All pure nodes that are or become ready are evaluated, in plan order, and see each other's outputs: a
///   chain of them is one step.
/// - Effectful nodes become ready. With a turn, one of them is claimed; if its templates fail, so does the
///   node, and the turn goes on.
/// - On [`Event::Woken`], claims whose lease has ended are given up (see [`MAX_CRASHES`]).
/// - The run ends when every node is settled, when a failure is not handled, or when it is cancelled; then
///   nothing is left unsettled.
pub fn advance(
    plan: &Plan,
    run: &Run,
    values: &Values,
    event: Event,
    moment: &Moment,
) -> Result<Decision, Rejected> {
    if run.status.is_terminal() {
        return Err(Rejected::Ended);
    }
    let mut transition = Transition::new(plan, run, values, moment);
    match event {
        Event::Woken => transition.give_up_lost_claims(),
        Event::Settled { node, attempt, outcome, notes } => {
            transition.settle_claim(&node, attempt, outcome, notes)?;
        }
        Event::CancelRequested => transition.end_cancelled(),
    }
    transition.proceed();
    Ok(transition.into_decision(run))
}
