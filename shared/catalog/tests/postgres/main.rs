//! The catalog against a real Postgres: each test has a database of its own.

// The lint lets tests unwrap, but not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod accounts;
mod annotations;
mod audit;
mod constraints;
mod expert_ties;
mod experts;
mod full;
mod graph;
mod identity;
mod isolation;
mod metadata;
mod migrations;
mod rules;
mod schema;
mod secrets;
mod seed;
mod service_users;
mod services;
mod sessions;
mod support;
mod team_members;
mod teams;
mod versions;
mod workflow_edits;
mod workflow_services;
mod workflows;
