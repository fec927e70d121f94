//! How long answers took.

use std::time::Duration;

use serde::Serialize;

/// The spread of latencies, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[allow(clippy::struct_field_names, reason = "the unit belongs to the names, in JSON too")]
pub(crate) struct Latency {
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Latency {
    /// Of at least one latency; None of none. Percentiles are latencies that were really seen (nearest rank).
    pub(crate) fn of(mut latencies: Vec<Duration>) -> Option<Self> {
        latencies.sort_unstable();
        let last = *latencies.last()?;
        let at = |percent| ms(latencies[nearest_rank(latencies.len(), percent)]);
        Some(Self { p50_ms: at(50), p95_ms: at(95), p99_ms: at(99), max_ms: ms(last) })
    }
}

/// Index of the smallest of `count` sorted values that at least `percent` percent of them don't exceed.
fn nearest_rank(count: usize, percent: usize) -> usize {
    (count * percent).div_ceil(100).max(1) - 1
}

fn ms(latency: Duration) -> f64 {
    latency.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ms: impl IntoIterator<Item = u64>) -> Option<Latency> {
        Latency::of(ms.into_iter().map(Duration::from_millis).collect())
    }

    #[test]
    fn percentiles_are_values_that_were_seen_whatever_their_order() {
        let expected = Latency { p50_ms: 50.0, p95_ms: 95.0, p99_ms: 99.0, max_ms: 100.0 };
        assert_eq!(of((1..=100).rev()), Some(expected));
    }

    #[test]
    fn one_value_is_every_percentile() {
        assert_eq!(of([7]), Some(Latency { p50_ms: 7.0, p95_ms: 7.0, p99_ms: 7.0, max_ms: 7.0 }));
    }

    #[test]
    fn no_value_has_no_percentile() {
        assert_eq!(of([]), None);
    }

    #[test]
    fn few_slow_answers_show_in_the_high_percentiles_only() {
        let spread = of([1; 97].into_iter().chain([500; 3])).unwrap();
        assert_eq!((spread.p50_ms, spread.p95_ms, spread.p99_ms), (1.0, 1.0, 500.0));
    }
}
