//! Every route of the function, on Postgres.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod edits;
mod experts;
mod links;
mod render;
mod test;
mod told;
mod world;
