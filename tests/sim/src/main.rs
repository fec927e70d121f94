//! Plays seeds: `sim --seeds 1000` many of them, `sim --seed 7` one, with its story (`--help` lists the rest).
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::{num::NonZeroUsize, process::ExitCode, sync::Arc, thread, time::Instant};

use clap::Parser;
use sim::{
    Play, Played,
    budget::{self, Budget, Outcome},
    bugs::Bug,
    trace::Trace,
};

/// Failures that are told of.
const SHOWN: usize = 10;

/// Plays the whole loop of Heddle by seed and judges it.
#[derive(Debug, Parser)]
#[command(name = "sim")]
struct Options {
    /// How many seeds to play.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    from: u64,
    /// Play this seed alone and tell all that happens.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Threads; as many as there are cores if left out.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Plant a bug.
    #[arg(long, value_enum)]
    bug: Option<Bug>,
    /// Enforce the rules, too, that are known not to hold yet.
    #[arg(long)]
    strict: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let play = Play { bug: options.bug, is_strict: options.strict };
    let is_good = match options.seed {
        Some(seed) => one(seed, play),
        None => many(&options, play),
    };
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(seed: u64, play: Play) -> bool {
    let trace = Arc::new(Trace::new(true));
    let Played { found, counts, took } = play.seed(seed, &trace);
    for line in trace.lines() {
        println!("{line}");
    }
    println!("\nseed {seed} ended after {} virtual seconds; {}", took.as_secs(), budget::words(&counts));
    for violation in &found {
        println!("{violation}");
    }
    found.is_empty()
}

fn many(options: &Options, play: Play) -> bool {
    let jobs = options.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let budget = Budget { from: options.from, seeds: options.seeds, jobs, most_failures: SHOWN };
    let began = Instant::now();
    let Outcome { played, counts, failures } = budget.play(play);
    let seconds = began.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = played as f64 / seconds.max(0.001);
    println!("{played} seeds from {} in {seconds:.1} s on {jobs} threads, {rate:.0} a second", options.from);
    println!("{}", budget::words(&counts));
    for (seed, violation) in &failures {
        println!("\nseed {seed}: {violation}\n  replay: make sim SEED={seed}");
    }
    println!("{}", if failures.is_empty() { "every rule held" } else { "\nthere are VIOLATIONS, see above" });
    failures.is_empty()
}
