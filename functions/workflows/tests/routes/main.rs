//! Every route of the function, on Postgres.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod documents;
mod drafts;
mod graph;
mod life;
mod pieces;
mod plan;
mod schedule;
mod services;
mod versions;
mod workflows;
mod world;
