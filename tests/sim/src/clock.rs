//! Virtual time: tokio's paused clock, which moves to the next timer when nobody has anything to do. The sleeps and timeouts
//! inside the code under test follow it too.

use std::time::Duration;

use app::ports::Clock;
use chrono::TimeDelta;
use domain::Timestamp;
use tokio::time::Instant;

/// A process's view of the time, a little ahead or behind of others'.
#[derive(Debug, Clone, Copy)]
pub struct SimClock {
    began: Instant,
    skew: TimeDelta,
}

impl SimClock {
    /// A clock that starts now, inside a runtime whose clock is paused.
    pub fn start() -> Self {
        Self { began: Instant::now(), skew: TimeDelta::zero() }
    }

    /// The same clock, set wrong by so many milliseconds.
    pub fn skewed(self, ms: i64) -> Self {
        Self { skew: TimeDelta::milliseconds(ms), ..self }
    }

    /// How long the seed has been played.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// When the seed will have been played for so long.
    pub fn instant(&self, elapsed: Duration) -> Instant {
        self.began + elapsed
    }

    fn epoch() -> Timestamp {
        Timestamp::from_timestamp(1_770_000_000, 0).unwrap_or_default()
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Self::epoch() + TimeDelta::from_std(self.elapsed()).unwrap_or_default() + self.skew
    }
}
