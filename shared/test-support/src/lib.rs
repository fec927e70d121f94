//! What tests stand on. Development only: no function depends on it.
//!
//! - [`TestDatabase`]: a Postgres database per test.
//! - `aws` (a cargo feature): the emulated AWS, with requests counted and faults on demand.

#[cfg(feature = "aws")]
pub mod aws;
pub mod database;

pub use database::TestDatabase;
