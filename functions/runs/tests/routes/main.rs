//! Every route of the function, on fakes with a real worker beside it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod annotations;
mod dead_letters;
mod events;
mod find;
mod read;
mod start;
mod world;
