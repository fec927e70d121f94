//! What the function is configured with on AWS.

use aws::StepQueueUrls;
use runtime::{Env, MissingConfig};

pub(crate) struct Config {
    /// Names the deployment, and so where its master keys are.
    pub(crate) stage: String,
    /// Table of the run store.
    pub(crate) run_table: String,
    /// Queues of the workers.
    pub(crate) step_queues: StepQueueUrls,
    /// Bucket of large values and of exports.
    pub(crate) blob_bucket: String,
    /// ARN of the secret with the database's URL.
    pub(crate) database_secret: String,
}

impl Config {
    /// Reads `STAGE`, `RUN_TABLE`, `STEP_QUEUE_URL` with its `_HIGH_` and `_LOW_` siblings, `BLOB_BUCKET` and `DATABASE_SECRET_ARN`.
    pub(crate) fn from_env(env: &Env) -> Result<Self, MissingConfig> {
        env.collect(|e| Self {
            stage: e.req("STAGE"),
            run_table: e.req("RUN_TABLE"),
            step_queues: StepQueueUrls {
                high: e.req("STEP_QUEUE_HIGH_URL"),
                default: e.req("STEP_QUEUE_URL"),
                low: e.req("STEP_QUEUE_LOW_URL"),
            },
            blob_bucket: e.req("BLOB_BUCKET"),
            database_secret: e.req("DATABASE_SECRET_ARN"),
        })
    }
}
