//! The real binary against a database of each test's own.

// One test binary: nothing here is anyone's API.
#![allow(unreachable_pub, missing_docs)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod commands;
mod interrupted;
mod run;
mod serve;
mod support;
