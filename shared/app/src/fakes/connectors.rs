//! Connectors that answer as a test says.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use domain::Failure;
use engine::Call;
use serde_json::Value;

use super::lock;
use crate::ports::{Connectors, Executed};

type Script = dyn Fn(&Call) -> Result<Value, Failure> + Send + Sync;

/// Answers each call by a function of it, and remembers the calls.
pub struct ScriptedConnectors {
    script: Box<Script>,
    calls: Mutex<Vec<Call>>,
}

impl ScriptedConnectors {
    /// Answers with what `script` makes of a call.
    pub fn new(script: impl Fn(&Call) -> Result<Value, Failure> + Send + Sync + 'static) -> Self {
        Self { script: Box::new(script), calls: Mutex::default() }
    }

    /// Answers every call with its own configuration.
    pub fn echo() -> Self {
        Self::new(|call| Ok(call.config.clone()))
    }

    /// The calls so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }
}

#[async_trait]
impl Connectors for ScriptedConnectors {
    async fn execute(&self, call: &Call, _budget: Duration) -> Executed {
        lock(&self.calls).push(call.clone());
        Executed { outcome: (self.script)(call), notes: vec![format!("attempt {}", call.attempt)] }
    }
}
