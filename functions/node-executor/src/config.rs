//! What the function is configured with on AWS.

use aws::{StepQueueUrls, TimerTarget};
use connectors::egress::EgressPolicy;
use runtime::{Env, MissingConfig};

/// Read once at boot.
#[derive(Debug)]
pub(crate) struct Config {
    /// `STAGE`: names the deployment, and so where its master keys are.
    pub(crate) stage: String,
    /// `RUN_TABLE`
    pub(crate) run_table: String,
    /// `EPHEMERAL_TABLE`: what may be forgotten, such as the counts of circuit breakers.
    pub(crate) ephemeral_table: String,
    /// `STEP_QUEUE_HIGH_URL`, `STEP_QUEUE_URL` and `STEP_QUEUE_LOW_URL`
    pub(crate) step_queues: StepQueueUrls,
    /// `STEP_QUEUE_ARN`, `RUN_TIMERS_ROLE_ARN` and `RUN_TIMERS_GROUP`: where long waits are kept.
    pub(crate) timers: TimerTarget,
    /// `BLOB_BUCKET`
    pub(crate) blob_bucket: String,
    /// `EGRESS_ALLOW`: what workflows may reach although its address is private.
    pub(crate) egress: EgressPolicy,
}

impl Config {
    /// Reads the environment; the error names everything that is missing or malformed.
    pub(crate) fn from_env(env: &Env) -> Result<Self, MissingConfig> {
        env.collect(|e| Self {
            stage: e.req("STAGE"),
            run_table: e.req("RUN_TABLE"),
            ephemeral_table: e.req("EPHEMERAL_TABLE"),
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
            blob_bucket: e.req("BLOB_BUCKET"),
            egress: e.parsed_or("EGRESS_ALLOW", EgressPolicy::default()),
        })
    }
}
