//! The `runs` function.

mod config;

use std::sync::Arc;

use app::{
    Conductor, KnownLimits,
    ports::{Polling, RunStore, StepQueue},
};
use aws::{SchedulerTimers, SqsDeadLetters, SqsStepQueues, s3_blobs};
use deployed::{Deployed, Fatal};
use runs::{EventStream, State};
use runstore::{DynamoAdmissions, DynamoRunStore};

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Fatal> {
    let here = Deployed::boot("runs").await?;
    let config = Config::from_env(&here.boot.env)?;
    let (boot, sdk, catalog) = (&here.boot, &here.sdk, &here.catalog);
    let blobs = Arc::new(s3_blobs(sdk, &config.blob_bucket)?);
    let admissions = Arc::new(DynamoAdmissions::new(here.dynamo.clone(), config.run_table.clone()));
    let store = DynamoRunStore::new(here.dynamo.clone(), config.run_table, blobs, boot.ids.clone());
    let store: Arc<dyn RunStore> = Arc::new(store);
    let queue: Arc<dyn StepQueue> = Arc::new(SqsStepQueues::new(sdk, config.step_queues));
    let dead_letters = SqsDeadLetters::new(sdk, config.dead_letters_url, queue.clone());
    let timers = Arc::new(SchedulerTimers::new(sdk, config.timers, boot.clock.clone()));
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
        clock: boot.clock.clone(),
        ids: boot.ids.clone(),
    };
    deployed::serve(runs::router(state, here.gate(), here.ping())).await
}
