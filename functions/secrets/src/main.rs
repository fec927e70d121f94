//! The `secrets` function.

mod config;

use std::sync::Arc;

use aws::Secrets;
use aws_sdk_dynamodb::Client;
use catalog::LazyCatalog;
use runstore::DynamoSecrets;
use secrets::State;
use vault::{Keeper, MasterRing, SecretTeller};

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let boot = runtime::boot("secrets")?;
    let sdk = runtime::sdk_config(&boot.env).await?;
    let config = Config::from_env(&boot.env)?;
    let deployment = Arc::new(Secrets::under(&sdk, format!("heddle/{}/", config.stage)));
    let database = deployment.clone();
    let catalog = Arc::new(LazyCatalog::new(move || {
        let (secrets, arn) = (database.clone(), config.database_secret.clone());
        async move { secrets.secret_string(&arn).await }
    }));
    let copies = Arc::new(DynamoSecrets::new(Client::new(&sdk), config.run_table));
    let keeper = Keeper::new(
        catalog.clone(),
        catalog.clone(),
        Arc::new(SecretTeller::new(catalog.clone(), copies)),
        MasterRing::creating(deployment, boot.clock, boot.entropy.clone()),
        boot.ids,
        boot.entropy,
    );
    let state = State { keeper: Arc::new(keeper), keys: catalog.clone() };
    heddle_http::serve(secrets::router(state, move || {
        let catalog = catalog.clone();
        async move { catalog.ping().await }
    }))
    .await
}
