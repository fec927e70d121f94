//! The port to counters that forget: rate limits, and limits of attempts.

use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;

use super::StoreError;

/// Counts per key in fixed windows of time. Counts may be lost in a crash of the store, never in one of its users.
///
/// On AWS an addition is one `UpdateItem` of DynamoDB: one write unit ($0.625 per million on demand), and none to expire.
#[async_trait]
pub trait Counters: Send + Sync {
    /// Adds `n` to the key's count in the present window of this length and answers the sum, atomically: of additions at once, each
    /// answer counts a different set of the others. `n` of 0 reads. A key is 1 to 1,000 bytes; counts of one key under windows of
    /// different lengths are apart.
    ///
    /// An addition whose answer was lost may be counted twice, so that a limit is reached too early rather than never.
    async fn add(&self, key: &str, n: u32, window: Duration) -> Result<Count, StoreError>;
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The sum in the present window.
    pub count: u64,
    /// When the window ends and the next one starts at 0. What `Retry-After` is made of.
    pub ends_on: Timestamp,
}

/// A stretch of time in which a counter counts on. Windows of one length follow each other from the epoch on, so that who counts
/// needs to agree on nothing but the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How long it is, in whole seconds, at least 1.
    pub length_s: i64,
    /// Its end, exclusive.
    pub ends_on: Timestamp,
}

impl Window {
    /// The window of this length that `now` lies in. Parts of a second of the length do not count.
    pub fn at(now: Timestamp, length: Duration) -> Self {
        let length_s = i64::try_from(length.as_secs()).unwrap_or(i64::MAX).clamp(1, Self::MAX_S);
        let ends_at = (now.timestamp().div_euclid(length_s) + 1) * length_s;
        Self { length_s, ends_on: Timestamp::from_timestamp(ends_at, 0).unwrap_or(Timestamp::MAX_UTC) }
    }

    /// The longest window: a year.
    const MAX_S: i64 = 366 * 24 * 3600;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_each_other_without_a_gap() {
        let end = |now: &str, secs| {
            Window::at(now.parse().unwrap(), Duration::from_secs(secs)).ends_on.to_rfc3339()
        };
        assert_eq!(end("2026-02-02T03:04:00Z", 60), "2026-02-02T03:05:00+00:00");
        assert_eq!(end("2026-02-02T03:04:59.999Z", 60), "2026-02-02T03:05:00+00:00");
        assert_eq!(end("2026-02-02T03:05:00Z", 60), "2026-02-02T03:06:00+00:00");
        assert_eq!(end("2026-02-02T03:05:00Z", 0), "2026-02-02T03:05:01+00:00");
        assert_eq!(end("2026-02-02T03:05:00Z", 86_400), "2026-02-03T00:00:00+00:00");
    }
}
