//! What the function is configured with on AWS.

use runtime::{Env, MissingConfig};

/// What the function needs of its environment.
pub(crate) struct Config {
    /// Names the deployment, and so who issues its tokens.
    pub(crate) stage: String,
    /// Table of what may be forgotten.
    pub(crate) ephemeral_table: String,
    /// ARN of the secret with the database's URL.
    pub(crate) database_secret: String,
    /// What codes are sent from.
    pub(crate) mail_sender: String,
}

impl Config {
    /// Reads `STAGE`, `EPHEMERAL_TABLE`, `DATABASE_SECRET_ARN` and `MAIL_SENDER`.
    pub(crate) fn from_env(env: &Env) -> Result<Self, MissingConfig> {
        env.collect(|e| Self {
            stage: e.req("STAGE"),
            ephemeral_table: e.req("EPHEMERAL_TABLE"),
            database_secret: e.req("DATABASE_SECRET_ARN"),
            mail_sender: e.req("MAIL_SENDER"),
        })
    }
}
