//! What the function is configured with on AWS.

use runtime::{Env, MissingConfig};

/// What the function needs of its environment beyond what all do.
pub(crate) struct Config {
    /// What invitations are sent from.
    pub(crate) mail_sender: String,
}

impl Config {
    /// Reads `MAIL_SENDER`.
    pub(crate) fn from_env(env: &Env) -> Result<Self, MissingConfig> {
        env.collect(|e| Self { mail_sender: e.req("MAIL_SENDER") })
    }
}
