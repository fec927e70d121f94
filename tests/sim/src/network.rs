//! What lies between a process and everything else: time, and requests that fail or whose answer never comes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use app::ports::{StoreError, unavailable};

use crate::{chance::Dice, clock::SimClock, executor::yield_now, trace::Trace, weather::Weather};

/// How often things happened, by what they were.
pub type Counts = BTreeMap<&'static str, u64>;

/// The way of every request. Each is a point at which others get their turn, and at which its process may be lost, both before
/// and after it is executed.
#[derive(Debug)]
pub struct Network {
    /// The time, right.
    pub clock: SimClock,
    /// Which faults there are.
    pub weather: Weather,
    dice: Dice,
    trace: std::sync::Arc<Trace>,
    counts: Mutex<Counts>,
}

impl Network {
    /// A network that begins now.
    pub fn new(seed: u64, weather: Weather, trace: std::sync::Arc<Trace>) -> Self {
        let (clock, dice) = (SimClock::start(), Dice::of(seed, "network"));
        Self { clock, weather, dice, trace, counts: Mutex::default() }
    }

    /// Adds a line to the story.
    pub fn note(&self, line: impl FnOnce() -> String) {
        self.trace.note(self.clock.elapsed().as_millis(), line);
    }

    /// Says who acts from now on.
    pub fn turn_to(&self, actor: &str) {
        self.trace.turn_to(actor);
    }

    /// Counts one more of this.
    pub fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a fault of this chance happens now.
    pub fn strikes(&self, permille: u32) -> bool {
        self.dice.hits(permille) && self.clock.elapsed() < self.weather.calm_after
    }

    /// Whether a fault of this chance happens now; it is counted.
    pub fn meets(&self, what: &'static str, permille: u32) -> bool {
        let strikes = self.strikes(permille);
        if strikes {
            self.count(what);
        }
        strikes
    }

    /// A draw between two numbers, for how long something takes.
    pub fn between(&self, low: u64, high: u64) -> u64 {
        self.dice.between(low, high)
    }

    /// A request, from its sending to its answer.
    pub async fn request<T>(
        &self,
        doing: &'static str,
        execute: impl FnOnce() -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        self.travel().await;
        if self.meets("requests refused", self.weather.throttled) {
            self.note(|| format!("{doing}: refused"));
            return Err(unavailable(doing)("refused"));
        }
        let answer = execute();
        self.travel().await;
        if self.meets("answers lost", self.weather.unanswered) {
            self.note(|| format!("{doing}: executed, and the answer was lost"));
            return Err(unavailable(doing)("no answer"));
        }
        answer
    }

    /// One way of a request: most take some milliseconds, some none, few take seconds.
    async fn travel(&self) {
        let ms = if self.meets("requests slow", self.weather.slow) {
            self.between(1_000, 12_000)
        } else {
            self.between(0, 12).saturating_sub(4)
        };
        if ms == 0 {
            yield_now().await;
        } else {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }
}
