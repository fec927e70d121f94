//! What may be measured: something that runs workflows and can tell what it has needed for them.

pub(crate) mod api;
mod connection;
pub(crate) mod memory;

use serde_json::Value;

use crate::{failure::Failure, spent::Spent, workloads::Workload};

/// Something that runs workflows.
pub(crate) trait System {
    /// One that starts runs and waits for them.
    type Client: Client;

    /// Creates and publishes a workload's workflow; answers its id.
    async fn publish(&self, workload: &Workload) -> Result<String, Failure>;

    /// Another client.
    async fn client(&self) -> Result<Self::Client, Failure>;

    /// What all runs have needed so far, once nothing of them is under way any more.
    async fn spent(&self) -> Result<Spent, Failure>;
}

/// Starts runs, each when the one before has ended.
pub(crate) trait Client: Send + 'static {
    /// One run from its start to its result, if it succeeds.
    fn run(&mut self, workflow: &str, inputs: Value) -> impl Future<Output = Result<Value, Failure>> + Send;
}
