//! What the function is configured with on AWS.

use runtime::{Env, MissingConfig};

pub(crate) struct Config {
    /// Table of the run store.
    pub(crate) run_table: String,
    /// Queue of the workers.
    pub(crate) step_queue_url: String,
    /// Bucket of large values.
    pub(crate) blob_bucket: String,
}

impl Config {
    /// Reads `RUN_TABLE`, `STEP_QUEUE_URL` and `BLOB_BUCKET`.
    pub(crate) fn from_env(env: &Env) -> Result<Self, MissingConfig> {
        env.collect(|e| Self {
            run_table: e.req("RUN_TABLE"),
            step_queue_url: e.req("STEP_QUEUE_URL"),
            blob_bucket: e.req("BLOB_BUCKET"),
        })
    }
}
