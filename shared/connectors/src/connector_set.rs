//! From a node type to the code that executes it.

use std::time::Duration;

use app::ports::{Connectors, Executed};
use async_trait::async_trait;
use domain::{ErrorClass, Failure};
use engine::Call;

use crate::{api, egress::Egress};

/// The connectors of a deployment. Built once per process and shared, so that connections are reused over invocations.
#[derive(Debug)]
pub struct ConnectorSet {
    egress: Egress,
}

impl ConnectorSet {
    /// Connectors that reach the world through `egress`. Costs next to nothing: TLS is set up by the first call.
    pub fn new(egress: Egress) -> Self {
        Self { egress }
    }
}

#[async_trait]
impl Connectors for ConnectorSet {
    async fn execute(&self, call: &Call, budget: Duration) -> Executed {
        let timeout = budget.min(Duration::from_secs(call.timeout_s.into()));
        match call.node_type.as_str() {
            "get_api" => api::get(&self.egress, call, timeout).await,
            "post_api" => api::post(&self.egress, call, timeout).await,
            other => not_available(other),
        }
    }
}

/// A version may name a type that was taken out of service after it was published.
fn not_available(node_type: &str) -> Executed {
    let message = format!("this deployment has no connector for nodes of type {node_type}");
    Executed {
        outcome: Err(Failure::new(ErrorClass::Permanent, "not_available", message)),
        notes: Vec::new(),
    }
}
