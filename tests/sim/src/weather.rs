//! What a seed's world is like: which faults there are and how many, and how the deployment is set up.

use std::time::Duration;

use crate::chance::Dice;

/// Chances are per thousand. Each kind of fault is absent from about half of the seeds, so that some bug that needs a rare order
/// of events is not always hidden behind a crash.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Faults happen until then.
    pub calm_after: Duration,
    /// A request is refused.
    pub throttled: u32,
    /// A request is executed, and its answer never comes.
    pub unanswered: u32,
    /// A commit fails after its records were written.
    pub torn: u32,
    /// A request takes seconds.
    pub slow: u32,
    /// A process is lost before a task of it goes on.
    pub lost: u32,
    /// A message is there twice.
    pub duplicated: u32,
    /// A message comes much later than asked.
    pub late: u32,
    /// Worker processes.
    pub processes: u32,
    /// How much the clock of a process may be wrong.
    pub skew_ms: u64,
    /// Messages that are worked on at once.
    pub at_once: usize,
    /// Seconds that an invocation may take.
    pub invocation_s: u64,
    /// Seconds until a message that nobody acknowledged comes back.
    pub visibility_s: u64,
    /// Whether a message whose advance failed comes back at once, and not only after that time.
    pub gives_back: bool,
    /// After so many receives a message is a dead letter.
    pub max_receives: u32,
    /// Seconds between two turns of the maintenance.
    pub maintenance_s: u64,
    /// Whether records of a commit that was lost stay in the store.
    pub keeps_orphans: bool,
    /// Whether the store sends a new run's first hint itself.
    pub announces: bool,
}

impl Weather {
    /// The weather of a seed.
    pub fn of(seed: u64) -> Self {
        let dice = Dice::of(seed, "weather");
        let fault = || dice.pick(&[0, 0, 0, 5, 20, 80]);
        let (invocation_s, visibility_s) = dice.pick(&[(20, 30), (20, 120), (120, 130), (120, 720)]);
        Self {
            calm_after: Duration::from_secs(dice.between(5, 400)),
            throttled: fault(),
            unanswered: fault(),
            torn: fault(),
            slow: fault(),
            lost: fault() / 2,
            // A hint that waits sends itself again, and so does its copy: more of them would grow without end.
            duplicated: dice.pick(&[0, 0, 30, 100]),
            late: fault(),
            processes: dice.pick(&[1, 2, 2, 3]),
            skew_ms: dice.pick(&[0, 0, 100, 250]),
            at_once: dice.pick(&[1, 2, 4, 8]),
            invocation_s,
            visibility_s,
            gives_back: dice.hits(500),
            max_receives: dice.pick(&[2, 5, 20]),
            maintenance_s: dice.pick(&[15, 60]),
            keeps_orphans: dice.hits(500),
            announces: dice.hits(250),
        }
    }
}
