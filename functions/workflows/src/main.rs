//! The `workflows` function.

mod config;

use std::sync::Arc;

use aws::{Secrets, s3_blobs};
use aws_sdk_dynamodb::Client;
use catalog::LazyCatalog;
use runstore::DynamoRunStore;
use workflows::State;

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let boot = runtime::boot("workflows")?;
    let sdk = runtime::sdk_config(&boot.env).await?;
    let config = Config::from_env(&boot.env)?;
    let blobs = Arc::new(s3_blobs(&sdk, &config.blob_bucket)?);
    let store = DynamoRunStore::new(Client::new(&sdk), config.run_table, blobs, boot.ids.clone());
    let secrets = Arc::new(Secrets::new(&sdk));
    let catalog = LazyCatalog::new(move || {
        let (secrets, arn) = (secrets.clone(), config.database_secret.clone());
        async move { secrets.secret_string(&arn).await }
    });
    let state =
        State { catalog: Arc::new(catalog), store: Arc::new(store), clock: boot.clock, ids: boot.ids };
    heddle_http::serve(workflows::router(state)).await
}
