//! From a node type to the code that executes it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::ports::{Connectors, Executed, TeamSecrets};
use async_trait::async_trait;
use domain::{ErrorClass, Failure};
use engine::Call;
use tokio::time::timeout;

use crate::{api, egress::Egress, secrets};

/// The connectors of a deployment. Built once per process and shared, so that connections are reused over invocations.
pub struct ConnectorSet {
    egress: Egress,
    secrets: Arc<dyn TeamSecrets>,
}

impl ConnectorSet {
    /// Connectors that reach the world through `egress`, with the credentials that `secrets` opens. Costs next to nothing: TLS is set up by
    /// the first call, and `secrets` is asked by calls that name one.
    pub fn new(egress: Egress, secrets: Arc<dyn TeamSecrets>) -> Self {
        Self { egress, secrets }
    }

    /// A call with everything in it.
    async fn complete(&self, call: &Call, budget: Duration) -> Executed {
        let timeout = budget.min(Duration::from_secs(call.timeout_s.into()));
        match call.node_type.as_str() {
            "get_api" => api::get(&self.egress, call, timeout).await,
            "post_api" => api::post(&self.egress, call, timeout).await,
            other => not_available(other),
        }
    }
}

#[async_trait]
impl Connectors for ConnectorSet {
    /// What comes back holds none of the secrets that went out.
    async fn execute(&self, call: &Call, budget: Duration) -> Executed {
        if call.secrets.is_empty() {
            return self.complete(call, budget).await;
        }
        let begun = Instant::now();
        let put_in = timeout(budget, secrets::put_in(call, &*self.secrets)).await;
        match put_in.unwrap_or_else(|_| Err(secrets::too_slow())) {
            Ok((call, redactor)) => {
                redactor.executed(self.complete(&call, budget.saturating_sub(begun.elapsed())).await)
            }
            Err(failure) => Executed { outcome: Err(failure), notes: Vec::new() },
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
