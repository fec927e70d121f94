//! One step of a run: what happened + what is stored → what is stored next.

mod approval;
mod backoff;
mod children;
mod claim;
mod effects;
mod ending;
mod ready;
mod settle;
mod sharing;
mod transition;
mod waiting;

use std::sync::Arc;

use domain::{Failure, NodeKey, RunStatus, Timestamp};
use serde_json::Value;

use crate::{Attempt, Call, NodeState, Plan, Run, StepRecord, Values, Vote};

pub use children::is_complete_with;
pub use effects::{Effect, effects, new_effects, next_lease};
pub use ending::{item_results, run_result};
pub use settle::MAX_CRASHES;
pub use transition::MAX_STEPS;

use transition::Transition;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A message came, or a timer: look at what there is to do.
    Woken,
    /// A message came again, because the worker that had it was lost or failed. Counted before anything else is tried, so that a run
    /// that kills its workers comes to an end. What is counted is this delivery: whether the one before it was lost is not known.
    Redelivered {
        /// Names the message.
        message: String,
    },
    /// A delivery that was counted came to its end, if to nothing else: its worker was not lost.
    Excused {
        /// Names the message.
        message: String,
    },
    /// All was done that the end of the run asks for. The only thing that happens to a run which has ended.
    Closed,
    /// There is no room for the run yet, or none for its calls: it stays as it is, and is looked at again then. Nothing is to be done where
    /// somebody else has postponed it already.
    Postponed {
        /// When its next message comes.
        until: Timestamp,
    },
    /// The worker that holds these claims was held up before it could begin, and holds them anew from now on. Those that are not held any
    /// more are passed over.
    Renewed(Vec<(NodeKey, Attempt)>),
    /// Claimed attempts ended. Those that are not the ones that run are passed over.
    Settled(Vec<Settled>),
    /// An attempt ended as the record of an earlier execution says: for good, whatever else could be tried (see [`crate::replay`]).
    Replayed {
        /// The node, which is claimed or waits.
        node: NodeKey,
        /// What it came to.
        outcome: Result<Value, Failure>,
        /// The label that it chose.
        label: Option<String>,
    },
    /// Someone asked to cancel the run.
    CancelRequested,
    /// Someone decided about an approval.
    Decided {
        /// The node.
        node: NodeKey,
        /// What they decided.
        vote: Vote,
    },
    /// Runs that a node had started have ended.
    ChildrenEnded {
        /// The node.
        node: NodeKey,
        /// Their numbers.
        ended: Vec<u32>,
        /// Attempts that they settled.
        steps: u32,
        /// What the node comes to; None while there are others to wait for or to start (see [`is_complete_with`]).
        outcome: Option<Result<Arc<Value>, Failure>>,
    },
    /// A retry takes over what its earlier run has come to: before anything else happens to it.
    Resumed {
        /// Settled nodes.
        nodes: Vec<(NodeKey, NodeState)>,
        /// Their records.
        records: Vec<StepRecord>,
    },
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The node.
    pub node: NodeKey,
    /// The claim it ran under.
    pub attempt: Attempt,
    /// Its output or failure. Shared, since the event is kept until it is committed, and an output may be large.
    pub outcome: Result<Arc<Value>, Failure>,
    /// Lines for the step's log.
    pub notes: Vec<String>,
}

/// Time and chance for one advance, and what the caller can take on.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The present.
    pub now: Timestamp,
    /// A random number in `0.0..1.0` for the jitter of retries.
    pub jitter: f64,
    /// The turn that the caller can give to effectful nodes, if any.
    pub turn: Option<Turn>,
}

/// An offer to execute effectful nodes right away, so that their claims are part of the same commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// This node first, and then those after it in plan order, round to the one before it; with None from the first node on. Workers
    /// that begin at different places seldom want the same node.
    pub node: Option<NodeKey>,
    /// Until when the claims hold.
    pub lease_until: Timestamp,
    /// Only nodes whose timeout is at most this many seconds.
    pub max_timeout_s: u32,
    /// At most so many nodes.
    pub at_most: usize,
}

/// What to store and what to execute.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The next control state, `revision` counted up. None if nothing changed: there is nothing to commit.
    pub run: Option<Run>,
    /// Step records to write before the commit.
    pub records: Vec<StepRecord>,
    /// The attempts that the caller has claimed and must execute after the commit.
    pub calls: Vec<Call>,
}

/// An event that does not fit the run any more: an ordinary answer, since messages come late and twice, and people decide at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The attempt was replaced by a later one, or its node is settled; or the child is not waited for.
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
    /// The run has begun, and whoever let it begin has taken over what there was.
    #[error("the run has begun")]
    Begun,
    /// The node does not wait for a decision.
    #[error("{0} does not wait for a decision")]
    NotAwaited(NodeKey),
    /// They have decided before; the first decision counts.
    #[error("{by} has decided about {node} before")]
    DecidedBefore {
        /// The node.
        node: NodeKey,
        /// Who.
        by: String,
    },
    /// What they filled in does not match the form: pointers into it, and messages.
    #[error("the form is not filled in as {node} asks")]
    WrongForm {
        /// The node.
        node: NodeKey,
        /// What is wrong, and where.
        problems: Vec<(String, String)>,
    },
}

/// Decides the next state of a run. Pure: the same arguments give an equal answer. `values` must hold the
/// value of every settled node of `run`.
///
/// - The first event takes the run from `pending` to `running`.
/// - All pure nodes that are or become ready are evaluated, in plan order, and see each other's outputs: a
///   chain of them is one step. Nodes that wait begin to.
/// - Effectful nodes become ready. With a turn, the first of them are claimed; if the templates of one fail, so does it, and the turn
///   goes on.
/// - On [`Event::Woken`], claims whose lease has ended are given up (see [`MAX_CRASHES`]), waits whose time has come are over, and a run
///   whose deadline has passed fails.
/// - The run ends when every node is settled, when a failure is not handled, or when it is cancelled; then
///   nothing is left unsettled.
pub fn advance(
    plan: &Plan,
    run: &Run,
    values: &Values,
    event: Event,
    moment: &Moment,
) -> Result<Decision, Rejected> {
    decide(plan, run, values, event, moment, Manner::Now)
}

/// [`advance`](fn@advance) for a run that is decided again, without fusion: at most one pure node is evaluated, and the others that are
/// ready stay blocked until the next event. What a run comes to is the same, in more commits; this is here so that it can be shown.
pub fn advance_unfused(
    plan: &Plan,
    run: &Run,
    values: &Values,
    event: Event,
    moment: &Moment,
) -> Result<Decision, Rejected> {
    decide(plan, run, values, event, moment, Manner::Unfused)
}

/// How is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As runs are executed.
    Now,
    /// Once more, in commits of its own. How many steps are too many is looked at with each commit of a run that goes on, so that it can't
    /// be looked at again.
    Again,
    /// Once more, with at most one pure node a commit.
    Unfused,
}

pub(crate) fn decide(
    plan: &Plan,
    run: &Run,
    values: &Values,
    event: Event,
    moment: &Moment,
    manner: Manner,
) -> Result<Decision, Rejected> {
    if run.status.is_terminal() {
        return if matches!(event, Event::Closed) {
            Ok(transition::close(run))
        } else {
            Err(Rejected::Ended)
        };
    }
    let mut transition = Transition::new(plan, run, values, moment, manner);
    match event {
        Event::Woken => transition.look_at_the_clock(),
        Event::Redelivered { message } => return Ok(transition.count_delivery(message)),
        Event::Excused { message } => return Ok(transition.excuse_deliveries(&message)),
        Event::Closed => return Ok(transition.unchanged()),
        Event::Postponed { until } => return Ok(transition.postpone(until)),
        Event::Renewed(claims) => return transition.renew_claims(claims),
        Event::Settled(ended) => transition.settle_claims(ended)?,
        Event::Replayed { node, outcome, label } => transition.settle_replayed(&node, outcome, label)?,
        Event::CancelRequested => transition.end_cancelled(),
        Event::Decided { node, vote } => transition.decide(&node, vote)?,
        Event::ChildrenEnded { node, ended, steps, outcome } => {
            transition.children_ended(&node, &ended, steps, outcome)?;
        }
        Event::Resumed { .. } if run.status != RunStatus::Pending => return Err(Rejected::Begun),
        Event::Resumed { nodes, records } => transition.take_over(nodes, records),
    }
    transition.proceed();
    Ok(transition.into_decision(run))
}
