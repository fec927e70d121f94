//! Chance, all of it drawn from the seed.

use std::sync::{Mutex, PoisonError};

use app::ports::Chance;
use fastrand::Rng;

/// The draws of one concern. Each concern has its own, so that a change in how graphs are drawn leaves the weather of a seed
/// as it was.
#[derive(Debug)]
pub struct Dice(Mutex<Rng>);

impl Dice {
    /// The draws that `seed` gives the concern of this name.
    pub fn of(seed: u64, concern: &str) -> Self {
        // FNV-1a: the standard library's hash may change with the compiler, and with it every seed's story.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = concern.bytes().chain(seed.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, mix);
        Self(Mutex::new(Rng::with_seed(hash)))
    }

    /// A number in `0..end`; 0 if there is none.
    pub fn below(&self, end: usize) -> usize {
        if end == 0 { 0 } else { self.rng(|rng| rng.usize(..end)) }
    }

    /// A number in `low..=high`.
    pub fn between(&self, low: u64, high: u64) -> u64 {
        self.rng(|rng| rng.u64(low..=high))
    }

    /// True so many times out of a thousand. Always draws, so that what is never true costs no other concern its story.
    pub fn hits(&self, permille: u32) -> bool {
        self.rng(|rng| rng.u32(..1000)) < permille
    }

    /// One of several, each as likely as the others.
    pub fn pick<T: Clone>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn rng<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Chance for Dice {
    fn draw(&self) -> f64 {
        self.rng(Rng::f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concern_draws_the_same_by_the_same_seed_and_not_what_another_draws() {
        let draws = |seed, concern| {
            let dice = Dice::of(seed, concern);
            (0..8).map(|_| dice.between(0, u64::MAX)).collect::<Vec<_>>()
        };
        assert_eq!(draws(1, "graph"), draws(1, "graph"));
        assert_ne!(draws(1, "graph"), draws(2, "graph"));
        assert_ne!(draws(1, "graph"), draws(1, "weather"));
    }
}
