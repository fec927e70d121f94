//! What must hold, whatever happens: of each commit ([`commits`], [`retries`]), of each call when it begins ([`calls`]), of the attempts
//! of a node ([`attempts`]), and of a run that has ended ([`endings`]) with its children ([`families`]), the people that it asked
//! ([`people`]) and what comes of it when it is decided again ([`replays`]).

pub mod attempts;
pub mod calls;
pub mod commits;
pub mod endings;
pub mod families;
pub mod people;
pub mod replays;
pub mod retries;

use std::fmt;

/// A rule of engine.md, section Proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Every run that was stored reaches an end in bounded time.
    ReachesAnEnd,
    /// A run whose next check has passed is looked at by the next turn of the maintenance.
    IsLookedAfter,
    /// An ended run never changes.
    EndsOnce,
    /// A settled node never changes; it has one record, which says the same.
    SettlesOnce,
    /// A record that was committed never changes, not even its times.
    RecordsStay,
    /// States of a node follow each other as its life says; attempts count up by one.
    LifeOfANode,
    /// What belongs together in a control state is there together, and what never changes does not.
    ControlState,
    /// A call begins only under a claim that was committed.
    CallsAreClaimed,
    /// A call begins only while the lease of its claim holds.
    LeasesHold,
    /// An attempt is executed once, and never beside another of its node.
    AttemptsRunOnce,
    /// No more attempts than retries and crashes allow.
    AttemptsAreBounded,
    /// Every attempt of a node has the same idempotency key, and no other node has it.
    OneKey,
    /// What an attempt came to is what its call answered; it is retried when the policy says so.
    AttemptsAreTrue,
    /// After the answer of a cancel no call begins, neither of the run nor of those that it started, and none of these goes on.
    NothingAfterCancel,
    /// The same idempotency key gives the same run, and another body is refused.
    SameKeySameRun,
    /// A run fails by the loss of its workers only if so many were lost.
    BlameIsTrue,
    /// Runs that a node starts are given what they are to do, and it comes to what they came to, in order.
    ChildrenAreTrue,
    /// No more items of a `for_each` are in work than it allows.
    ItemsAtOnce,
    /// An approval ends as people decided, each of whom counts once, or by its time.
    DecisionsCount,
    /// A retry has what it keeps as it was, and does not do it again.
    KeptIsKept,
    /// Each run that failed or was cancelled starts the workflow for that once, if there is one.
    FailuresAreTold,
    /// Decided again with what was recorded, a run comes to the same.
    ReplayIsEqual,
    /// Without fusion and with answers in another order, a run comes to the same.
    FusionIsUnseen,
    /// Outputs, result and way of ending equal the reference's.
    Reference,
    /// Messages do not multiply.
    Messages,
    /// Nothing panics.
    Panic,
}

/// Rules that the code under test is known not to keep yet, and under which name they are counted until it does. What remains of
/// them holds by [`Rule::EndsOnce`]: no claim is committed after a cancel.
pub const OPEN: &[(Rule, &str)] = &[];

/// A rule that does not hold, with what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// What was seen.
    pub story: String,
}

impl Violation {
    /// A rule and what was seen.
    pub fn new(rule: Rule, story: impl Into<String>) -> Self {
        Self { rule, story: story.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.story)
    }
}
