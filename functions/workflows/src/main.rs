//! The `workflows` function.

use std::sync::Arc;

use aws::{S3Blobs, Secrets};
use aws_sdk_dynamodb::Client;
use catalog::LazyCatalog;
use runstore::DynamoRunStore;
use workflows::{Config, State};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let boot = runtime::boot("workflows").await?;
    let config = Config::from_env(&boot.env)?;
    let blobs = Arc::new(S3Blobs::new(&boot.sdk, config.blob_bucket));
    let store = DynamoRunStore::new(Client::new(&boot.sdk), config.run_table, blobs, boot.ids.clone());
    let secrets = Arc::new(Secrets::new(&boot.sdk));
    let catalog = LazyCatalog::new(move || {
        let (secrets, arn) = (secrets.clone(), config.database_secret.clone());
        async move { secrets.secret_string(&arn).await }
    });
    let state =
        State { catalog: Arc::new(catalog), store: Arc::new(store), clock: boot.clock, ids: boot.ids };
    heddle_http::serve(workflows::router(state)).await
}
