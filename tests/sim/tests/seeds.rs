//! A fixed budget of seeds, the seeds that once found something, and bugs that must be found.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

use std::{fs, path::Path, sync::Arc, thread};

use sim::{
    Play,
    budget::{Budget, Outcome},
    bugs::Bug,
    invariants::Rule,
    trace::Trace,
};

fn budget(seeds: u64) -> Budget {
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    Budget { from: 0, seeds, jobs, most_failures: 1 }
}

#[test]
fn every_rule_holds_and_every_fault_happens() {
    let Outcome { counts, failures, .. } = budget(500).play(Play::default());
    assert!(failures.is_empty(), "{failures:#?}");
    for what in [
        "answers lost",
        "batches torn",
        "calls",
        "cancelled",
        "commit conflicts",
        "commits torn",
        "dead letters",
        "deadlines met",
        "decisions",
        "decisions too late",
        "failed",
        "keys reused",
        "messages late",
        "messages twice",
        "processes lost",
        "requests refused",
        "requests slow",
        "retries",
        "retries refused",
        "starts repeated",
        "succeeded",
    ] {
        assert!(counts.contains_key(what), "{what}: never; {counts:#?}");
    }
}

#[test]
fn seeds_that_once_failed_hold() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions.txt");
    for line in fs::read_to_string(file).unwrap().lines().filter(|line| !line.starts_with('#')) {
        let seed = line.split_whitespace().next().unwrap().parse().unwrap();
        let played = Play::default().seed(seed, &Arc::default());
        assert!(played.found.is_empty(), "{line}: {:#?}", played.found);
    }
}

#[test]
fn a_seed_tells_the_same_story_each_time() {
    for seed in 0..40 {
        let story = || {
            let trace = Arc::new(Trace::new(true));
            Play::default().seed(seed, &trace);
            trace.lines()
        };
        assert_eq!(story(), story(), "seed {seed}");
    }
}

/// The rule by which a planted bug is found first, within a thousand seeds.
#[track_caller]
fn finds(bug: Bug, by: &[Rule]) {
    let Outcome { played, failures, .. } = budget(1000).play(Play { bug: Some(bug), ..Play::default() });
    let (seed, violation) =
        failures.first().unwrap_or_else(|| panic!("{bug:?} was not found in {played} seeds"));
    assert!(by.contains(&violation.rule), "seed {seed} found {bug:?} by {violation}");
}

#[test]
fn a_skipped_claim_is_found() {
    finds(Bug::SkippedClaim, &[Rule::CallsAreClaimed]);
}

#[test]
fn a_forgiven_conflict_is_found() {
    finds(Bug::ForgivenConflict, &[Rule::CallsAreClaimed, Rule::AttemptsRunOnce]);
}

#[test]
fn a_doubled_effect_is_found() {
    finds(Bug::DoubledEffect, &[Rule::AttemptsRunOnce]);
}

#[test]
fn a_key_for_each_attempt_is_found() {
    finds(Bug::FreshKeys, &[Rule::OneKey]);
}

#[test]
fn a_forgotten_parent_is_found() {
    finds(Bug::ForgottenParent, &[Rule::Reference]);
}

#[test]
fn a_late_result_that_is_accepted_is_found() {
    finds(Bug::LateResult, &[Rule::LifeOfANode, Rule::AttemptsRunOnce]);
}

#[test]
fn runs_that_nobody_looks_after_are_found() {
    finds(Bug::NoMaintenance, &[Rule::IsLookedAfter, Rule::ReachesAnEnd]);
}

#[test]
fn results_in_the_order_of_their_coming_are_found() {
    finds(Bug::GatheredAsTheyCame, &[Rule::ChildrenAreTrue]);
}

#[test]
fn a_child_that_is_counted_for_another_is_found() {
    finds(Bug::CountedTwice, &[Rule::ChildrenAreTrue]);
}

#[test]
fn more_items_than_allowed_are_found() {
    finds(Bug::TooManyItems, &[Rule::ItemsAtOnce]);
}

#[test]
fn a_grandchild_that_a_cancel_forgets_is_found() {
    finds(Bug::ForgottenGrandchild, &[Rule::NothingAfterCancel, Rule::ReachesAnEnd]);
}

#[test]
fn a_person_who_counts_twice_is_found() {
    finds(Bug::TwoVotesOfOne, &[Rule::DecisionsCount, Rule::LifeOfANode]);
}

#[test]
fn a_retry_that_does_all_again_is_found() {
    // An ended run whose last effects are still to be done is loaded to close it, and forgets then too.
    finds(Bug::ForgetfulRetry, &[Rule::KeptIsKept, Rule::EndsOnce]);
}

#[test]
fn a_failure_that_is_told_of_twice_is_found() {
    finds(Bug::ToldTwice, &[Rule::FailuresAreTold]);
}
