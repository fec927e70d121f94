//! The `maintenance` function.

mod config;

use std::sync::Arc;

use aws::{Secrets, SqsStepQueues, s3_blobs};
use aws_sdk_dynamodb::Client;
use catalog::LazyCatalog;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use maintenance::{Agenda, State, handle};
use runstore::DynamoRunStore;
use runtime::Scope;
use serde_json::Value;

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let boot = runtime::boot("maintenance")?;
    let sdk = runtime::sdk_config(&boot.env).await?;
    let config = Config::from_env(&boot.env)?;
    let blobs = Arc::new(s3_blobs(&sdk, &config.blob_bucket)?);
    let store = Arc::new(DynamoRunStore::new(Client::new(&sdk), config.run_table, blobs.clone(), boot.ids));
    let secrets = Arc::new(Secrets::new(&sdk));
    let catalog = LazyCatalog::new(move || {
        let (secrets, arn) = (secrets.clone(), config.database_secret.clone());
        async move { secrets.secret_string(&arn).await }
    });
    let state = &State {
        store: store.clone(),
        ended: store,
        exports: blobs,
        policies: Arc::new(catalog),
        agenda: Agenda::default(),
        queue: Arc::new(SqsStepQueues::new(&sdk, config.step_queues)),
        clock: boot.clock,
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Scope::new(&event.context.request_id).run(handle(state)).await.map_err(Error::from)
    }))
    .await
}
