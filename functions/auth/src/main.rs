//! The `auth` function.

mod config;

use std::sync::Arc;

use app::ports::EmailAddress;
use auth::State;
use aws::SesMailer;
use deployed::{Deployed, Fatal};
use identity::{Argon2Params, Identity, Ports};
use runstore::DynamoChallenges;

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Fatal> {
    let here = Deployed::boot("auth").await?;
    let config = Config::from_env(&here.boot.env)?;
    let sender = EmailAddress::parse(&config.mail_sender).map_err(|error| format!("MAIL_SENDER: {error}"))?;
    let ports = Ports {
        accounts: here.catalog.clone(),
        sessions: here.catalog.clone(),
        challenges: Arc::new(DynamoChallenges::new(here.dynamo.clone(), here.ephemeral_table.clone())),
        counters: here.counters.clone(),
        web: here.web.clone(),
        mailer: Arc::new(SesMailer::new(&here.sdk, sender)),
        secrets: here.secrets.clone(),
        clock: here.boot.clock.clone(),
        ids: here.boot.ids.clone(),
        entropy: here.boot.entropy.clone(),
    };
    let identity = Arc::new(Identity::new(ports, here.realm.clone(), Argon2Params::REQUIRED));
    let gate = here.gate_with(Arc::clone(identity.verifier()));
    let state = State { identity, seats: here.catalog.clone(), clock: here.boot.clock.clone() };
    deployed::serve(auth::router(state, gate, here.ping())).await
}
