//! The catalog against a real Postgres: each test has a database of its own.

// The lint lets tests unwrap, but not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod annotations;
mod constraints;
mod experts;
mod graph;
mod metadata;
mod migrations;
mod seed;
mod services;
mod support;
mod teams;
mod versions;
mod workflows;
