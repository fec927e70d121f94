//! Whether and when a transient failure is tried again (RUN-11).

use chrono::TimeDelta;
use domain::RetryPolicy;

use crate::validate::MAX_DELAY_S;

/// Retries where the node does not say.
const DEFAULT_RETRIES: u32 = 3;

/// Seconds before each retry where the node does not say; the last repeats.
const DEFAULT_DELAYS_S: &[u32] = &[5, 30, 120];

/// A retry comes no sooner than this, unless its policy says so.
const LEAST_DELAY_S: u32 = 1;

/// How long to wait after the `failures`-th failure of a node; None if it was the last.
///
/// What the other side asked for, at most [`MAX_DELAY_S`]; else full jitter, the policy's delay times
/// `jitter`, and at least the smaller of that delay and [`LEAST_DELAY_S`], so that a failing neighbour is
/// never hammered.
pub(super) fn delay(
    policy: Option<&RetryPolicy>,
    failures: u32,
    retry_after_s: Option<u32>,
    jitter: f64,
) -> Option<TimeDelta> {
    if failures > policy.map_or(DEFAULT_RETRIES, |policy| policy.max_retries) {
        return None;
    }
    if let Some(asked) = retry_after_s {
        return Some(TimeDelta::seconds(asked.min(MAX_DELAY_S).into()));
    }
    let delays = policy.and_then(|policy| policy.delays_s.as_deref()).filter(|delays| !delays.is_empty());
    let delays = delays.unwrap_or(DEFAULT_DELAYS_S);
    let longest_s = delays[(failures.saturating_sub(1) as usize).min(delays.len() - 1)];
    #[allow(clippy::cast_possible_truncation)] // Milliseconds of at most some hours.
    let jittered_ms = (f64::from(longest_s) * 1000.0 * jitter.clamp(0.0, 1.0)) as i64;
    let least_ms = i64::from(longest_s.min(LEAST_DELAY_S)) * 1000;
    Some(TimeDelta::milliseconds(jittered_ms.max(least_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(
        policy: Option<&RetryPolicy>,
        failures: u32,
        retry_after_s: Option<u32>,
        jitter: f64,
    ) -> Option<f64> {
        delay(policy, failures, retry_after_s, jitter).map(TimeDelta::as_seconds_f64)
    }

    #[test]
    fn three_retries_after_5_30_and_120_seconds_are_the_default() {
        let waits: Vec<_> = (1..=4).map(|failures| seconds(None, failures, None, 1.0)).collect();
        assert_eq!(waits, [Some(5.0), Some(30.0), Some(120.0), None]);
    }

    #[test]
    fn jitter_spreads_down_to_one_second() {
        assert_eq!(seconds(None, 3, None, 0.5), Some(60.0));
        assert_eq!(seconds(None, 3, None, 0.0), Some(1.0));
        assert_eq!(seconds(None, 3, None, f64::NAN), Some(1.0));
    }

    #[test]
    fn the_last_delay_of_a_policy_repeats() {
        let policy = RetryPolicy { max_retries: 4, delays_s: Some(vec![0, 7]) };
        let waits: Vec<_> = (1..=5).map(|failures| seconds(Some(&policy), failures, None, 1.0)).collect();
        assert_eq!(waits, [Some(0.0), Some(7.0), Some(7.0), Some(7.0), None]);
    }

    #[test]
    fn retry_after_is_obeyed_up_to_fifteen_minutes() {
        assert_eq!(seconds(None, 1, Some(17), 0.0), Some(17.0));
        assert_eq!(seconds(None, 1, Some(86_400), 0.0), Some(900.0));
        assert_eq!(seconds(None, 4, Some(17), 0.0), None);
    }
}
