//! Time and chance of an evaluation, as data.

use std::cell::Cell;

use chrono::SecondsFormat;
use domain::Timestamp;
use sha2::{Digest as _, Sha256};

/// Time and chance, from the run's record. Two evaluations with equal entropy and equal inputs give equal values, so a
/// replay is exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entropy {
    /// What `$now()` and `$millis()` say.
    pub now: Timestamp,
    /// What `$random()` and `$shuffle()` grow from.
    pub seed: [u8; 32],
}

impl Entropy {
    /// The same time with chance of its own for one part, such as an item or a field. Equal labels give equal parts.
    #[must_use]
    pub fn part(&self, label: &str) -> Self {
        let seed = Sha256::new().chain_update(self.seed).chain_update(label).finalize().into();
        Self { now: self.now, seed }
    }

    /// As `$now()` prints it.
    pub(super) fn now_text(&self) -> String {
        self.now.to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

/// Random numbers: xoshiro256++ from the SHA-256 of the seed.
pub(super) struct Draws(Cell<[u64; 4]>);

impl Draws {
    pub(super) fn new(entropy: &Entropy) -> Self {
        let digest = Sha256::new().chain_update(entropy.seed).chain_update("draws").finalize();
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(digest.chunks(8)) {
            *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        Self(Cell::new(state))
    }

    fn bits(&self) -> u64 {
        let [mut a, mut b, mut c, mut d] = self.0.get();
        let bits = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let shifted = b << 17;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= shifted;
        d = d.rotate_left(45);
        self.0.set([a, b, c, d]);
        bits
    }

    /// At least 0, less than 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what the mantissa holds")]
    pub(super) fn unit(&self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Fisher and Yates.
    pub(super) fn shuffle<T>(&self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.bits() % (last as u64 + 1);
            items.swap(last, usize::try_from(other).unwrap_or(0));
        }
    }
}
