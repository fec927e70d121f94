//! The `node-executor` function.

use std::sync::Arc;

use app::Worker;
use aws::{S3Blobs, SqsStepQueue};
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::Client;
use connectors::{ConnectorSet, egress::Egress};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use node_executor::{Config, State, handle};
use runstore::DynamoRunStore;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let boot = runtime::boot("node-executor").await?;
    let config = Config::from_env(&boot.env)?;
    let blobs = Arc::new(S3Blobs::new(&boot.sdk, config.blob_bucket));
    let store = DynamoRunStore::new(Client::new(&boot.sdk), config.run_table, blobs, boot.ids);
    let queue = SqsStepQueue::new(&boot.sdk, config.step_queue_url);
    let connectors = ConnectorSet::new(Egress::new(config.egress));
    let (store, queue, connectors) = (Arc::new(store), Arc::new(queue), Arc::new(connectors));
    let worker = Worker::new(store, queue, connectors, boot.clock.clone(), boot.chance);
    let state = &State { worker, clock: boot.clock };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        Ok::<_, Error>(handle(state, event).await)
    }))
    .await
}
