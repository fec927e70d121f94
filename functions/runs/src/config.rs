//! What the function is configured with on AWS.

use runtime::{Env, MissingConfig};

/// What the function needs of its environment.
pub(crate) struct Config {
    /// Table of the run store.
    pub(crate) run_table: String,
    /// Queue of the workers.
    pub(crate) step_queue_url: String,
    /// Queue of the messages that the workers could not handle.
    pub(crate) dead_letters_url: String,
    /// Bucket of large values.
    pub(crate) blob_bucket: String,
    /// ARN of the secret with the database's URL.
    pub(crate) database_secret: String,
}

impl Config {
    /// Reads `RUN_TABLE`, `STEP_QUEUE_URL`, `DEAD_LETTERS_URL`, `BLOB_BUCKET` and `DATABASE_SECRET_ARN`.
    pub(crate) fn from_env(env: &Env) -> Result<Self, MissingConfig> {
        env.collect(|e| Self {
            run_table: e.req("RUN_TABLE"),
            step_queue_url: e.req("STEP_QUEUE_URL"),
            dead_letters_url: e.req("DEAD_LETTERS_URL"),
            blob_bucket: e.req("BLOB_BUCKET"),
            database_secret: e.req("DATABASE_SECRET_ARN"),
        })
    }
}
