//! The `maintenance` function.

mod config;

use std::sync::Arc;

use aws::{Secrets, SqsStepQueues, s3_blobs};
use aws_sdk_dynamodb::Client;
use catalog::LazyCatalog;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use maintenance::{Agenda, State, handle};
use runstore::{DynamoRunStore, DynamoSecrets};
use runtime::Scope;
use serde_json::Value;
use vault::{Keeper, MasterRing, SecretTeller};

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let boot = runtime::boot("maintenance")?;
    let sdk = runtime::sdk_config(&boot.env).await?;
    let config = Config::from_env(&boot.env)?;
    let blobs = Arc::new(s3_blobs(&sdk, &config.blob_bucket)?);
    let dynamo = Client::new(&sdk);
    let copies = Arc::new(DynamoSecrets::new(dynamo.clone(), config.run_table.clone()));
    let store = DynamoRunStore::new(dynamo, config.run_table, blobs.clone(), boot.ids.clone());
    let store = Arc::new(store);
    let secrets = Arc::new(Secrets::under(&sdk, format!("heddle/{}/", config.stage)));
    let database = secrets.clone();
    let catalog = Arc::new(LazyCatalog::new(move || {
        let (secrets, arn) = (database.clone(), config.database_secret.clone());
        async move { secrets.secret_string(&arn).await }
    }));
    let teller = Arc::new(SecretTeller::new(catalog.clone(), copies));
    let keeper = Keeper::new(
        catalog.clone(),
        catalog.clone(),
        teller.clone(),
        MasterRing::reading(secrets, boot.clock.clone()),
        boot.ids,
        boot.entropy,
    );
    let state = &State {
        store: store.clone(),
        ended: store,
        exports: blobs,
        policies: catalog.clone(),
        agenda: Agenda::default(),
        queue: Arc::new(SqsStepQueues::new(&sdk, config.step_queues)),
        outbox: catalog.clone(),
        sessions: catalog,
        tellers: vec![teller],
        keeper,
        clock: boot.clock,
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Scope::new(&event.context.request_id).run(handle(state)).await.map_err(Error::from)
    }))
    .await
}
