//! Time, ids and chance as the machine gives them.

use app::ports::{Chance, Clock, Entropy, Ids, StoreError, unavailable};
use domain::Timestamp;
use uuid::Uuid;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        chrono::Utc::now()
    }
}

/// UUIDv7 that grow within a process, so that ids sort by the time of their making.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeOrderedIds;

impl Ids for TimeOrderedIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Random numbers of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exactly what an f64 holds")]
    fn draw(&self) -> f64 {
        let random = Uuid::new_v4().as_u64_pair().1 & ((1 << 53) - 1);
        random as f64 / (1_u64 << 53) as f64
    }
}

/// The operating system's source of keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn draw(&self) -> Result<[u8; 32], StoreError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(unavailable("draw random bytes"))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_spread_over_the_unit_interval() {
        let draws: Vec<f64> = (0..1000).map(|_| SystemChance.draw()).collect();
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = draws.iter().sum::<f64>() / 1000.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }

    #[test]
    fn no_draw_is_like_another() {
        let draws: std::collections::HashSet<[u8; 32]> =
            (0..100).map(|_| SystemEntropy.draw().unwrap()).collect();
        assert_eq!(draws.len(), 100);
    }

    #[test]
    fn ids_grow() {
        let ids: Vec<Uuid> = (0..1000).map(|_| TimeOrderedIds.next()).collect();
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
