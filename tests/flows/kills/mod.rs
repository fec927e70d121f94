//! What the tests that kill processes under load share: the runs that are under way meanwhile, and the verdict on all of them.
#![allow(clippy::print_stdout, reason = "a failed run is repeated by its seed")]

pub mod verdict;
pub mod workload;

use std::env;

/// A number from the environment, where whoever starts the test gave one.
pub fn asked(name: &str) -> Option<u64> {
    env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse().expect("a number"))
}

/// The seed of everything that is drawn, printed so that it can be given again.
pub fn seed() -> u64 {
    let seed = asked("HEDDLE_FLOW_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("HEDDLE_FLOW_SEED={seed}");
    seed
}
