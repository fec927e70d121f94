//! What the function is configured with on AWS.

use runtime::{Env, MissingConfig};

/// What the function needs of its environment beyond what all do.
pub(crate) struct Config {
    /// Table of the run store.
    pub(crate) run_table: String,
    /// Bucket of large values.
    pub(crate) blob_bucket: String,
}

impl Config {
    /// Reads `RUN_TABLE` and `BLOB_BUCKET`.
    pub(crate) fn from_env(env: &Env) -> Result<Self, MissingConfig> {
        env.collect(|e| Self { run_table: e.req("RUN_TABLE"), blob_bucket: e.req("BLOB_BUCKET") })
    }
}
