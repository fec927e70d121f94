//! What the function is configured with on AWS.

use runtime::{Env, MissingConfig};

/// What the function needs of its environment beyond what all do.
pub(crate) struct Config {
    /// Table of the run store, where workers read credentials.
    pub(crate) run_table: String,
}

impl Config {
    /// Reads `RUN_TABLE`.
    pub(crate) fn from_env(env: &Env) -> Result<Self, MissingConfig> {
        env.collect(|e| Self { run_table: e.req("RUN_TABLE") })
    }
}
