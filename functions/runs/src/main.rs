//! The `runs` function.

use std::sync::Arc;

use aws::{S3Blobs, Secrets, SqsStepQueue};
use aws_sdk_dynamodb::Client;
use catalog::LazyCatalog;
use runs::{Config, State};
use runstore::DynamoRunStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let boot = runtime::boot("runs").await?;
    let config = Config::from_env(&boot.env)?;
    let blobs = Arc::new(S3Blobs::new(&boot.sdk, config.blob_bucket));
    let store = DynamoRunStore::new(Client::new(&boot.sdk), config.run_table, blobs, boot.ids.clone());
    let secrets = Arc::new(Secrets::new(&boot.sdk));
    let catalog = Arc::new(LazyCatalog::new(move || {
        let (secrets, arn) = (secrets.clone(), config.database_secret.clone());
        async move { secrets.secret_string(&arn).await }
    }));
    let state = State {
        keys: catalog.clone(),
        catalog: catalog.clone(),
        store: Arc::new(store),
        queue: Arc::new(SqsStepQueue::new(&boot.sdk, config.step_queue_url)),
        clock: boot.clock,
        ids: boot.ids,
    };
    heddle_http::serve(runs::router(state, move || {
        let catalog = catalog.clone();
        async move { catalog.ping().await }
    }))
    .await
}
