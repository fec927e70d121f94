//! Rules of counters. Each is given the clock that the counters read.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures::future::join_all;

use crate::{
    fakes::ManualClock,
    ports::{Clock, Counters},
};

const MINUTE: Duration = Duration::from_mins(1);

/// Adds and answers the sum.
async fn add(counters: &impl Counters, key: &str, n: u32) -> u64 {
    counters.add(key, n, MINUTE).await.unwrap().count
}

pub async fn additions_sum_up_within_a_window((counters, _): &(impl Counters, Arc<ManualClock>)) {
    assert_eq!(add(counters, "a", 1).await, 1);
    assert_eq!(add(counters, "a", 1).await, 2);
    assert_eq!(add(counters, "a", 40).await, 42);
    assert_eq!(add(counters, "a", 0).await, 42);
    assert_eq!(add(counters, "a", u32::MAX).await, 42 + u64::from(u32::MAX));
}

pub async fn a_key_that_was_never_counted_is_at_zero((counters, _): &(impl Counters, Arc<ManualClock>)) {
    assert_eq!(add(counters, "a", 0).await, 0);
}

pub async fn keys_and_lengths_of_windows_are_apart((counters, _): &(impl Counters, Arc<ManualClock>)) {
    let long = "k".repeat(1_000);
    for key in ["a", "A", "a ", "a#60", "ä/\u{1F600}", &long] {
        assert_eq!(add(counters, key, 1).await, 1, "{key}");
    }
    let hour = counters.add("a", 5, Duration::from_hours(1)).await.unwrap();
    assert_eq!(hour.count, 5);
    assert_eq!(add(counters, "a", 1).await, 2);
}

pub async fn a_window_ends_and_the_next_starts_at_zero(
    (counters, clock): &(impl Counters, Arc<ManualClock>),
) {
    let first = counters.add("a", 3, MINUTE).await.unwrap();
    let left = first.ends_on - clock.now();
    assert!(TimeDelta::zero() < left && left <= TimeDelta::minutes(1), "{left}");
    assert_eq!(first.ends_on.timestamp() % 60, 0);

    clock.advance_to(first.ends_on - TimeDelta::milliseconds(1));
    assert_eq!(add(counters, "a", 1).await, 4);
    clock.advance_to(first.ends_on);
    let second = counters.add("a", 1, MINUTE).await.unwrap();
    assert_eq!((second.count, second.ends_on), (1, first.ends_on + TimeDelta::minutes(1)));
}

pub async fn additions_at_once_are_all_counted((counters, _): &(impl Counters, Arc<ManualClock>)) {
    let sums: BTreeSet<u64> = join_all((0..30).map(|_| add(counters, "a", 1))).await.into_iter().collect();
    assert_eq!(sums, (1..=30).collect());
}
