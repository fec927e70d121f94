//! Every route of the function, on Postgres.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod documents;
mod graph;
mod plan;
mod schedule;
mod versions;
mod workflows;
mod world;
