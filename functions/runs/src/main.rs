//! The `runs` function.

mod config;

use std::sync::Arc;

use app::ports::Polling;
use aws::{Secrets, SqsDeadLetters, SqsStepQueue, s3_blobs};
use aws_sdk_dynamodb::Client;
use catalog::LazyCatalog;
use runs::{EventStream, State};
use runstore::DynamoRunStore;

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let boot = runtime::boot("runs")?;
    let sdk = runtime::sdk_config(&boot.env).await?;
    let config = Config::from_env(&boot.env)?;
    let blobs = Arc::new(s3_blobs(&sdk, &config.blob_bucket)?);
    let store = DynamoRunStore::new(Client::new(&sdk), config.run_table, blobs, boot.ids.clone());
    let secrets = Arc::new(Secrets::new(&sdk));
    let catalog = Arc::new(LazyCatalog::new(move || {
        let (secrets, arn) = (secrets.clone(), config.database_secret.clone());
        async move { secrets.secret_string(&arn).await }
    }));
    let queue = SqsStepQueue::new(&sdk, config.step_queue_url);
    let dead_letters = SqsDeadLetters::new(&sdk, config.dead_letters_url, queue.clone());
    let state = State {
        keys: catalog.clone(),
        catalog: catalog.clone(),
        workflows: catalog.clone(),
        annotations: catalog.clone(),
        store: Arc::new(store),
        queue: Arc::new(queue),
        dead_letters: Arc::new(dead_letters),
        ends: Arc::new(Polling),
        moves: Arc::new(Polling),
        events: EventStream::Batches,
        clock: boot.clock,
        ids: boot.ids,
    };
    heddle_http::serve(runs::router(state, move || {
        let catalog = catalog.clone();
        async move { catalog.ping().await }
    }))
    .await
}
