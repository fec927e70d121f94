//! The embedded adapters against a real Postgres: each test has a database of its own.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod admissions;
mod challenges;
mod counters;
mod journal;
mod kept_answers;
mod metadata;
mod run_store;
mod step_queue;
mod support;
mod timers;
