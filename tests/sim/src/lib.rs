//! Plays the whole loop of Heddle by seed (engine.md, Proof): random graphs and clients, workers as they are deployed, and
//! between them a queue, a store and a network in which everything goes wrong that may. A [`judge`] watches from outside; a
//! [`reference`](mod@reference) that knows no engine says what should have come of it.
//!
//! One number decides everything, so a seed that fails once fails always: `make sim SEED=k` tells its story.

pub mod books;
pub mod budget;
pub mod bugs;
pub mod chance;
pub mod clients;
pub mod clock;
pub mod connectors;
pub mod dialect;
pub mod executor;
pub mod flows;
pub mod graphs;
pub mod invariants;
pub mod judge;
pub mod network;
pub mod people;
pub mod queue;
pub mod reference;
pub mod store;
pub mod trace;
pub mod verdict;
pub mod weather;
pub mod workers;
pub mod world;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    time::Duration,
};

use domain::RunId;

use crate::{
    bugs::Bug,
    invariants::{Rule, Violation},
    network::Counts,
    trace::Trace,
    world::World,
};

/// What came of a seed.
#[derive(Debug)]
pub struct Played {
    /// Rules that did not hold.
    pub found: Vec<Violation>,
    /// How often things happened.
    pub counts: Counts,
    /// How long it would have taken.
    pub took: Duration,
}

/// How to play.
#[derive(Debug, Clone, Copy, Default)]
pub struct Play {
    /// The bug to plant.
    pub bug: Option<Bug>,
    /// Whether the rules that are [known not to hold yet](invariants::OPEN) are enforced too.
    pub is_strict: bool,
}

impl Play {
    /// Plays a seed; the trace is told what happens.
    pub fn seed(self, seed: u64, trace: &Arc<Trace>) -> Played {
        let played = panic::catch_unwind(AssertUnwindSafe(|| self.played(seed, trace)));
        played.unwrap_or_else(|payload| {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("of unknown cause");
            Played {
                found: vec![Violation::new(Rule::Panic, text)],
                counts: Counts::new(),
                took: Duration::ZERO,
            }
        })
    }

    fn played(self, seed: u64, trace: &Arc<Trace>) -> Played {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime =
            runtime.enable_time().start_paused(true).build().expect("it needs nothing of the system");
        runtime.block_on(async {
            let (flows, wishes) = clients::draw(seed);
            let world = World::new(seed, self, flows, Arc::clone(trace));
            world.play(wishes).await;
            let (counts, took) = (world.network.counts(), world.network.clock.elapsed());
            Played { found: world.judge.found(), counts, took }
        })
    }
}

/// The end of a run's id, by which the trace calls it.
pub fn short(run: RunId) -> String {
    format!("r{:x}", run.uuid().as_u128() & 0xffff)
}
