//! Time, ids and chance that a test decides.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use chrono::TimeDelta;
use domain::Timestamp;
use uuid::Uuid;

use super::lock;
use crate::ports::{Chance, Clock, Entropy, Ids, StoreError};

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `now`.
    pub const fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves it on.
    pub fn advance(&self, by: TimeDelta) {
        *lock(&self.0) += by;
    }

    /// Moves it to `then`, never back.
    pub fn advance_to(&self, then: Timestamp) {
        let mut now = lock(&self.0);
        *now = then.max(*now);
    }
}

impl Default for ManualClock {
    /// A morning in 2026.
    fn default() -> Self {
        Self::at(Timestamp::from_timestamp(1_770_000_000, 0).unwrap_or_default())
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *lock(&self.0)
    }
}

/// Ids that count up, in the form of UUIDv7.
#[derive(Debug, Default)]
pub struct SequentialIds(AtomicU64);

impl Ids for SequentialIds {
    fn next(&self) -> Uuid {
        let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(n))
    }
}

/// Always the same number.
#[derive(Debug, Clone, Copy)]
pub struct FixedChance(pub f64);

impl Chance for FixedChance {
    fn draw(&self) -> f64 {
        self.0
    }
}

/// Bytes that anybody may guess, each draw unlike the others.
#[derive(Debug, Default)]
pub struct SequentialEntropy(AtomicU64);

impl Entropy for SequentialEntropy {
    fn draw(&self) -> Result<[u8; 32], StoreError> {
        let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let mut bytes = [0x5A; 32];
        // An odd factor gives each number another product.
        bytes[8..16].copy_from_slice(&n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        Ok(bytes)
    }
}
