//! The `workflows` function.

mod config;

use std::sync::Arc;

use aws::s3_blobs;
use deployed::{Deployed, Fatal};
use runstore::DynamoRunStore;
use workflows::State;

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Fatal> {
    let here = Deployed::boot("workflows").await?;
    let config = Config::from_env(&here.boot.env)?;
    let blobs = Arc::new(s3_blobs(&here.sdk, &config.blob_bucket)?);
    let store = DynamoRunStore::new(here.dynamo.clone(), config.run_table, blobs, here.boot.ids.clone());
    let state = State {
        catalog: here.catalog.clone(),
        store: Arc::new(store),
        clock: here.boot.clock.clone(),
        ids: here.boot.ids.clone(),
    };
    deployed::serve(workflows::router(state, here.gate())).await
}
