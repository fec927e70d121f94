//! What tests stand on. Development only: no function depends on it.
//!
//! - [`TestDatabase`]: a Postgres database per test; [`metadata`]: the check that queries are still what they were compiled as.
//! - `aws` (a cargo feature): the emulated AWS, with requests counted and faults on demand.

#[cfg(feature = "aws")]
pub mod aws;
pub mod database;
pub mod metadata;

pub use database::TestDatabase;
