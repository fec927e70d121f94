//! What the function is configured with on AWS.

use aws::{StepQueueUrls, TimerTarget};
use runtime::{Env, MissingConfig};

/// What the function needs of its environment beyond what all do.
pub(crate) struct Config {
    /// Table of the run store.
    pub(crate) run_table: String,
    /// Queues of the workers.
    pub(crate) step_queues: StepQueueUrls,
    /// Queue of the messages that the workers could not handle.
    pub(crate) dead_letters_url: String,
    /// Where long waits are kept.
    pub(crate) timers: TimerTarget,
    /// Bucket of large values.
    pub(crate) blob_bucket: String,
}

impl Config {
    /// Reads `RUN_TABLE`, `STEP_QUEUE_URL` with its `_HIGH_` and `_LOW_` siblings, `STEP_QUEUE_ARN`, `DEAD_LETTERS_URL`,
    /// `RUN_TIMERS_ROLE_ARN`, `RUN_TIMERS_GROUP` and `BLOB_BUCKET`.
    pub(crate) fn from_env(env: &Env) -> Result<Self, MissingConfig> {
        env.collect(|e| Self {
            run_table: e.req("RUN_TABLE"),
            timers: TimerTarget {
                queue_arn: e.req("STEP_QUEUE_ARN"),
                role_arn: e.req("RUN_TIMERS_ROLE_ARN"),
                group: e.req("RUN_TIMERS_GROUP"),
            },
            step_queues: StepQueueUrls {
                high: e.req("STEP_QUEUE_HIGH_URL"),
                default: e.req("STEP_QUEUE_URL"),
                low: e.req("STEP_QUEUE_LOW_URL"),
            },
            dead_letters_url: e.req("DEAD_LETTERS_URL"),
            blob_bucket: e.req("BLOB_BUCKET"),
        })
    }
}
