//! Many seeds, on several threads.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::{Play, invariants::Violation, network::Counts, trace::Trace};

/// Which seeds to play.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// The first.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// Threads.
    pub jobs: usize,
    /// After so many seeds that failed, no further one is played.
    pub most_failures: usize,
}

/// What came of them.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Seeds played.
    pub played: u64,
    /// How often things happened in all of them.
    pub counts: Counts,
    /// Seeds that failed, with the first rule that did not hold.
    pub failures: Vec<(u64, Violation)>,
}

impl Budget {
    /// Plays the seeds.
    pub fn play(&self, play: Play) -> Outcome {
        let (next, outcome) = (AtomicU64::new(0), Mutex::new(Outcome::default()));
        let work = || {
            let trace = Arc::new(Trace::default());
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.seeds || lock(&outcome).failures.len() >= self.most_failures {
                    return;
                }
                let seed = self.from.wrapping_add(number);
                let played = play.seed(seed, &trace);
                let mut outcome = lock(&outcome);
                outcome.played += 1;
                for (what, count) in played.counts {
                    *outcome.counts.entry(what).or_default() += count;
                }
                outcome.failures.extend(played.found.into_iter().next().map(|violation| (seed, violation)));
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(work);
            }
        });
        let mut outcome = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcome.failures.sort_by_key(|(seed, _)| *seed);
        outcome
    }
}

fn lock(outcome: &Mutex<Outcome>) -> std::sync::MutexGuard<'_, Outcome> {
    outcome.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts as a sentence.
pub fn words(counts: &Counts) -> String {
    let words: Vec<_> = counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
    words.join(", ")
}
