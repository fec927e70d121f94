//! Time, ids and chance as arguments, so that tests and simulation decide them.

use domain::Timestamp;
use uuid::Uuid;

use super::StoreError;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;
}

/// Draws ids.
pub trait Ids: Send + Sync {
    /// A new UUIDv7 (API-05).
    fn next(&self) -> Uuid;
}

/// Draws random numbers; for jitter, never for secrets.
pub trait Chance: Send + Sync {
    /// A number in `0.0..1.0`.
    fn draw(&self) -> f64;
}

/// Draws what nobody may guess: keys, tokens, salts, codes.
pub trait Entropy: Send + Sync {
    /// 256 bits.
    fn draw(&self) -> Result<[u8; 32], StoreError>;
}
