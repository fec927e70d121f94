//! The `node-executor` function.

mod config;

use std::sync::Arc;

use app::{Conductor, Worker, ports::Polling};
use aws::{SchedulerTimers, Secrets, SqsStepQueues, s3_blobs};
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::Client;
use connectors::{CircuitBreaker, ConnectorSet, egress::Egress};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use node_executor::{State, handle_batch};
use runstore::{DynamoAdmissions, DynamoCounters, DynamoRunStore, DynamoSecrets};
use vault::{MasterRing, Vault};

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let boot = runtime::boot("node-executor")?;
    let sdk = runtime::sdk_config(&boot.env).await?;
    let config = Config::from_env(&boot.env)?;
    let blobs = Arc::new(s3_blobs(&sdk, &config.blob_bucket)?);
    let dynamo = Client::new(&sdk);
    let counters = DynamoCounters::new(dynamo.clone(), config.ephemeral_table, boot.clock.clone());
    let admissions = Arc::new(DynamoAdmissions::new(dynamo.clone(), config.run_table.clone()));
    let sealed = Arc::new(DynamoSecrets::new(dynamo.clone(), config.run_table.clone()));
    let deployment = Arc::new(Secrets::under(&sdk, format!("heddle/{}/", config.stage)));
    let masters = MasterRing::reading(deployment, boot.clock.clone());
    let secrets = Arc::new(Vault::new(sealed, masters, boot.clock.clone()));
    let store = DynamoRunStore::new(dynamo, config.run_table, blobs, boot.ids);
    let queue = SqsStepQueues::new(&sdk, config.step_queues);
    let connectors = ConnectorSet::new(Egress::new(config.egress), secrets);
    let connectors = CircuitBreaker::new(connectors, Arc::new(counters), boot.clock.clone());
    let (store, queue, connectors) = (Arc::new(store), Arc::new(queue), Arc::new(connectors));
    let timers = Arc::new(SchedulerTimers::new(&sdk, config.timers, boot.clock.clone()));
    let conductor = Conductor::new(store, queue, timers, admissions, boot.clock.clone(), boot.chance);
    let worker = Worker::new(Arc::new(conductor), connectors, Arc::new(Polling));
    let state = &State { worker, clock: boot.clock };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        Ok::<_, Error>(handle_batch(state, event).await)
    }))
    .await
}
