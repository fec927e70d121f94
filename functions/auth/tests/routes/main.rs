//! Every route of the function, on fakes.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod browser;
mod codes;
mod me;
mod oidc;
mod sessions;
mod world;
