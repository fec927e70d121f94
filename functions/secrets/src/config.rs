//! What the function is configured with on AWS.

use runtime::{Env, MissingConfig};

/// What the function needs of its environment.
pub(crate) struct Config {
    /// Names the deployment, and so where its master keys are.
    pub(crate) stage: String,
    /// Table of the run store, where workers read credentials.
    pub(crate) run_table: String,
    /// ARN of the secret with the database's URL.
    pub(crate) database_secret: String,
}

impl Config {
    /// Reads `STAGE`, `RUN_TABLE` and `DATABASE_SECRET_ARN`.
    pub(crate) fn from_env(env: &Env) -> Result<Self, MissingConfig> {
        env.collect(|e| Self {
            stage: e.req("STAGE"),
            run_table: e.req("RUN_TABLE"),
            database_secret: e.req("DATABASE_SECRET_ARN"),
        })
    }
}
