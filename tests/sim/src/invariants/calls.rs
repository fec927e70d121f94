//! Rules of a call, checked when it begins.

use std::{collections::BTreeMap, time::Duration};

use domain::{Failure, NodeKey, Timestamp};
use engine::{Attempt, Call, MAX_CRASHES};
use serde_json::Value;

use super::{Rule, Violation};
use crate::graphs;

/// How wrong clocks may be before a lease is over for one and not for another.
const SKEW_S: i64 = 2;

/// A call that began.
#[derive(Debug, Clone, PartialEq)]
pub struct Began {
    /// The node.
    pub node: NodeKey,
    /// The attempt.
    pub attempt: Attempt,
    /// What it was sent with.
    pub idempotency_key: String,
    /// What it was asked for.
    pub config: Value,
    /// When.
    pub began: Duration,
    /// Whether the lease of its claim held at that time. One that began too late may meet another attempt, which is no further
    /// mistake.
    pub in_time: bool,
    /// How and when it ended, if it has.
    pub end: Option<(Duration, End)>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// Its worker was told this.
    Answered(Result<Value, Failure>),
    /// Its worker was lost, or stopped to listen.
    Dropped,
}

/// Until when each claim that was committed holds.
pub type Claims = BTreeMap<(NodeKey, Attempt), Timestamp>;

/// The most attempts that a node may come to: each is a failure that is retried, a crash, or the last one.
pub fn most_attempts(call: &graphs::Call) -> u32 {
    call.max_retries() + MAX_CRASHES
}

/// Whether the lease of a call's claim holds by any clock.
pub fn is_in_time(call: &Call, claims: &Claims, now: Timestamp) -> bool {
    let lease = claims.get(&(call.node.clone(), call.attempt));
    lease.is_some_and(|lease| (*lease - now).num_seconds() >= SKEW_S)
}

/// Every rule that a call breaks by beginning now, after the earlier ones of its run.
pub fn check(
    call: &Call,
    shape: Option<&graphs::Call>,
    earlier: &[Began],
    claims: &Claims,
    now: Timestamp,
) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut expect = |holds: bool, rule: Rule, what: &str| {
        if !holds {
            found.push(Violation::new(rule, format!("attempt {} of {}: {what}", call.attempt, call.node)));
        }
    };
    let own = || earlier.iter().filter(|began| began.node == call.node);
    match claims.get(&(call.node.clone(), call.attempt)) {
        None => expect(false, Rule::CallsAreClaimed, "no claim of it was committed"),
        Some(lease) => {
            let story = format!("it begins at {now} and its claim held until {lease}");
            expect((now - *lease).num_seconds() < SKEW_S, Rule::LeasesHold, &story);
        }
    }
    expect(own().all(|began| began.attempt != call.attempt), Rule::AttemptsRunOnce, "it was executed before");
    let meets = own().any(|began| began.end.is_none() && began.in_time);
    expect(!meets || !is_in_time(call, claims, now), Rule::AttemptsRunOnce, "another attempt is at work");
    let most = shape.map_or(0, most_attempts) as usize;
    expect(
        own().count() < most,
        Rule::AttemptsAreBounded,
        &format!("there were {} before it", own().count()),
    );
    expect(call.attempt as usize <= most, Rule::AttemptsAreBounded, &format!("{most} is the most"));
    let has_key = own().all(|began| began.idempotency_key == call.idempotency_key);
    expect(
        has_key && !call.idempotency_key.is_empty(),
        Rule::OneKey,
        &format!("its key is {}", call.idempotency_key),
    );
    found
}
