//! Signing in on fakes, and attacks on what comes of it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod arrivals;
mod bearers;
mod codes;
mod issuer;
mod keys;
mod logins;
mod passwords;
mod sessions;
mod tokens;
mod world;
