//! What every process needs around its work, and nothing that one of them needs alone: logs, configuration, clock, ids and chance
//! at [`boot`](fn@boot); a [`scope`] and [`metrics`] for each request and each [`message`].
//!
//! With the cargo feature `lambda` also what a function on AWS needs: `sdk_config` for its clients, `sqs::each` for batches.

mod boot;
pub mod env;
pub mod log;
pub mod message;
pub mod metrics;
pub mod panics;
pub mod scope;
#[cfg(feature = "lambda")]
mod sdk;
#[cfg(feature = "lambda")]
pub mod sqs;
mod world;

pub use boot::{Boot, BootError, boot};
pub use env::{Env, MissingConfig, Reader};
pub use scope::Scope;
#[cfg(feature = "lambda")]
pub use sdk::sdk_config;
pub use world::{SystemChance, SystemClock, SystemEntropy, TimeOrderedIds};
