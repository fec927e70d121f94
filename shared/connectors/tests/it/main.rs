//! The connectors against real servers on the loopback interface.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod body;
mod breaker;
mod failures;
mod models;
mod names;
mod redirects;
mod refusals;
mod requests;
mod secrets;
mod support;
mod web;
