//! The `auth` function.

mod config;

use std::sync::Arc;

use app::ports::EmailAddress;
use auth::State;
use aws::{Secrets, SesMailer};
use aws_sdk_dynamodb::Client;
use catalog::LazyCatalog;
use identity::{Argon2Params, Identity, Ports, Realm};
use runstore::{DynamoChallenges, DynamoCounters};

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let boot = runtime::boot("auth")?;
    let sdk = runtime::sdk_config(&boot.env).await?;
    let config = Config::from_env(&boot.env)?;
    let sender = EmailAddress::parse(&config.mail_sender).map_err(|error| format!("MAIL_SENDER: {error}"))?;
    let dynamo = Client::new(&sdk);
    let secrets = Arc::new(Secrets::under(&sdk, format!("heddle/{}/", config.stage)));
    let database = secrets.clone();
    let catalog = Arc::new(LazyCatalog::new(move || {
        let (secrets, arn) = (database.clone(), config.database_secret.clone());
        async move { secrets.secret_string(&arn).await }
    }));
    let ports = Ports {
        accounts: catalog.clone(),
        sessions: catalog.clone(),
        challenges: Arc::new(DynamoChallenges::new(dynamo.clone(), config.ephemeral_table.clone())),
        counters: Arc::new(DynamoCounters::new(dynamo, config.ephemeral_table, boot.clock.clone())),
        mailer: Arc::new(SesMailer::new(&sdk, sender)),
        secrets,
        clock: boot.clock.clone(),
        ids: boot.ids,
        entropy: boot.entropy,
    };
    let identity = Identity::new(ports, Realm::of_stage(&config.stage), Argon2Params::REQUIRED);
    let state = State { identity: Arc::new(identity), clock: boot.clock };
    heddle_http::serve(auth::router(state, move || {
        let catalog = catalog.clone();
        async move { catalog.ping().await }
    }))
    .await
}
