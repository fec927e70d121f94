//! Many seeds, on several threads.

use std::{
    collections::BTreeMap,
    process,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{Play, invariants::Violation, network::Counts, trace::Trace};

/// The longest that a seed may take, in real time; most take a millisecond. Beyond it, somebody does not let others go on.
const PATIENCE: Duration = Duration::from_mins(1);

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
    /// Plays the seeds. A seed that does not come to its end ends the process.
    pub fn play(&self, play: Play) -> Outcome {
        let (next, outcome) = (AtomicU64::new(0), Mutex::new(Outcome::default()));
        let at_work = Mutex::new(BTreeMap::new());
        let work = || {
            let trace = Arc::new(Trace::default());
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.seeds || lock(&outcome).failures.len() >= self.most_failures {
                    return;
                }
                let seed = self.from.wrapping_add(number);
                lock(&at_work).insert(seed, Instant::now());
                let played = play.seed(seed, &trace);
                lock(&at_work).remove(&seed);
                let mut outcome = lock(&outcome);
                outcome.played += 1;
                for (what, count) in played.counts {
                    *outcome.counts.entry(what).or_default() += count;
                }
                outcome.failures.extend(played.found.into_iter().next().map(|violation| (seed, violation)));
            }
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..self.jobs).map(|_| scope.spawn(work)).collect();
            while workers.iter().any(|worker| !worker.is_finished()) {
                thread::sleep(Duration::from_millis(20));
                watch(&at_work);
            }
        });
        let mut outcome = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcome.failures.sort_by_key(|(seed, _)| *seed);
        outcome
    }
}

/// Ends the process if a seed takes too long: the thread that plays it can't be stopped otherwise.
fn watch(at_work: &Mutex<BTreeMap<u64, Instant>>) {
    if let Some((seed, _)) = lock(at_work).iter().find(|(_, began)| began.elapsed() > PATIENCE) {
        eprintln!("seed {seed} does not come to its end: something in it loops without waiting for anything");
        process::exit(1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts as a sentence.
pub fn words(counts: &Counts) -> String {
    let words: Vec<_> = counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
    words.join(", ")
}
