//! How long a worker may hold a node.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{NodeKey, Timestamp};
use engine::{Call, Plan, Turn};

use super::Delivery;

/// What a worker keeps back of its invocation for the commit and the hints after a call.
pub const MARGIN: TimeDelta = TimeDelta::seconds(2);

/// How much longer than its call a claim holds, so that a result that came in time also commits in time.
pub const GRACE: TimeDelta = TimeDelta::seconds(5);

/// How long after its claim a call may begin. A worker that was held up longer leaves the claim to its lease, so that whoever cancels a
/// run knows when nothing of it begins any more.
pub(crate) const BEGINS_WITHIN: TimeDelta = TimeDelta::seconds(1);

/// How far the clocks of two machines may be apart.
pub(crate) const SKEW: TimeDelta = TimeDelta::milliseconds(500);

/// The longest delay that a hint can have (SQS). What comes later is a timer.
pub(crate) const MAX_DELAY_S: u32 = 900;

/// The most calls of a run that one worker has under way. They wait together, they are claimed together, and those that end together share
/// a commit; workers that each had one would fight over the run's state for every one of them.
pub(crate) const CALLS_AT_ONCE: usize = 20;

/// A claim that is due later than this finds its own message on its way, which comes in time but for the clocks of two machines.
pub(super) const EARLY: TimeDelta = TimeDelta::seconds(2);

/// The turn that an invocation can give to nodes now, beside `under_way` calls, or none when it is about to end.
///
/// A call may begin if it can take its node's whole timeout. In a fresh invocation any call may begin, cut short if need be:
/// no other invocation would have more time. The claim holds for as long as the longest node of the workflow may take, but
/// never longer than this invocation lives.
pub(crate) fn turn(
    plan: &Plan,
    node: Option<NodeKey>,
    under_way: usize,
    delivery: &Delivery,
    now: Timestamp,
) -> Option<Turn> {
    let left = delivery.deadline - MARGIN - now;
    if left < TimeDelta::seconds(1) {
        return None;
    }
    let is_fresh = (now - delivery.started_on) * 5 <= delivery.deadline - delivery.started_on;
    let max_timeout_s =
        if is_fresh { u32::MAX } else { u32::try_from(left.num_seconds()).unwrap_or(u32::MAX) };
    let longest = TimeDelta::seconds(i64::from(plan.longest_timeout_s()));
    let at_most = CALLS_AT_ONCE.saturating_sub(under_way);
    Some(Turn { node, lease_until: now + longest.min(left) + GRACE, max_timeout_s, at_most })
}

/// How long a connector may work on a call whose claim holds until `lease_until`.
pub(super) fn budget(call: &Call, lease_until: Timestamp, now: Timestamp) -> Duration {
    let until_lease = (lease_until - GRACE - now).to_std().unwrap_or_default();
    until_lease.min(Duration::from_secs(u64::from(call.timeout_s)))
}

/// Whole seconds from `now` to `then`, rounded up: a hint that comes early would come for nothing.
pub(crate) fn delay_s(then: Timestamp, now: Timestamp) -> u32 {
    let ms = (then - now).num_milliseconds().max(0).unsigned_abs();
    u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_rounded_up_and_never_negative() {
        let now = Timestamp::UNIX_EPOCH;
        for (ms, seconds) in [(-5, 0), (0, 0), (1, 1), (1000, 1), (1001, 2)] {
            assert_eq!(delay_s(now + TimeDelta::milliseconds(ms), now), seconds);
        }
    }
}
