//! What every function needs around its work, and nothing that one of them needs alone: logs, configuration, the AWS
//! configuration, clock, ids and chance at [`boot`](fn@boot); a [`scope`] and [`metrics`] for each request or message;
//! [`sqs::each`] for batches.

mod boot;
pub mod env;
pub mod log;
pub mod metrics;
pub mod panics;
pub mod scope;
pub mod sqs;
mod world;

pub use boot::{Boot, BootError, boot};
pub use env::{Env, MissingConfig, Reader};
pub use scope::Scope;
pub use world::{SystemChance, SystemClock, TimeOrderedIds};
