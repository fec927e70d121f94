//! Every route of the function, on Postgres.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod keys;
mod segments;
mod services;
mod users;
mod world;
