//! The `runs` function.

mod config;

use std::sync::Arc;

use app::{
    Conductor, KnownLimits,
    ports::{Polling, RunStore, StepQueue},
};
use aws::{SchedulerTimers, Secrets, SqsDeadLetters, SqsStepQueues, s3_blobs};
use aws_sdk_dynamodb::Client;
use catalog::LazyCatalog;
use runs::{EventStream, State};
use runstore::{DynamoAdmissions, DynamoRunStore};

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let boot = runtime::boot("runs")?;
    let sdk = runtime::sdk_config(&boot.env).await?;
    let config = Config::from_env(&boot.env)?;
    let blobs = Arc::new(s3_blobs(&sdk, &config.blob_bucket)?);
    let dynamo = Client::new(&sdk);
    let admissions = Arc::new(DynamoAdmissions::new(dynamo.clone(), config.run_table.clone()));
    let store = DynamoRunStore::new(dynamo, config.run_table, blobs, boot.ids.clone());
    let secrets = Arc::new(Secrets::new(&sdk));
    let catalog = Arc::new(LazyCatalog::new(move || {
        let (secrets, arn) = (secrets.clone(), config.database_secret.clone());
        async move { secrets.secret_string(&arn).await }
    }));
    let store: Arc<dyn RunStore> = Arc::new(store);
    let queue: Arc<dyn StepQueue> = Arc::new(SqsStepQueues::new(&sdk, config.step_queues));
    let dead_letters = SqsDeadLetters::new(&sdk, config.dead_letters_url, queue.clone());
    let timers = Arc::new(SchedulerTimers::new(&sdk, config.timers, boot.clock.clone()));
    let conductor = Conductor::new(
        store.clone(),
        queue.clone(),
        timers,
        admissions.clone(),
        boot.clock.clone(),
        boot.chance.clone(),
    );
    let state = State {
        conductor: Arc::new(conductor),
        keys: catalog.clone(),
        catalog: catalog.clone(),
        workflows: catalog.clone(),
        annotations: catalog.clone(),
        limits: Arc::new(KnownLimits::new(catalog.clone(), boot.clock.clone())),
        admissions,
        store,
        queue,
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
