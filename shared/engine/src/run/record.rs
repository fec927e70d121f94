//! What is kept of attempts beside the control state, and what they are made with.

use std::{collections::HashMap, sync::Arc};

use domain::{Failure, NodeKey, RunId, TeamId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Attempt, Digest, Revision};
use crate::expr::WithSecrets;

/// Which step outputs make a run's result; composed on reading, so that no value is stored twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultSource {
    /// The output of one `return`, or of the only leaf.
    Node(NodeKey),
    /// An object by node key.
    Object(Vec<NodeKey>),
    /// One for each item of a chunk.
    Items,
}

/// What is kept of one settled attempt of a node. Written before the commit that refers to it; never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The node.
    pub node: NodeKey,
    /// The attempt.
    pub attempt: Attempt,
    /// Digest of the output, of the failure, or of both where there are both; with node, attempt and `settled_at` it names the record.
    pub digest: Digest,
    /// The output, where it succeeded. With `on_error: continue` both this and `error` are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Arc<Value>>,
    /// The failure, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// When the attempt began.
    pub started_on: Timestamp,
    /// When it was settled.
    pub finished_on: Timestamp,
    /// The revision of the commit that claimed it, or evaluated it where it is pure.
    pub claimed_at: Revision,
    /// The revision of the commit that settled it.
    pub settled_at: Revision,
    /// Whether another attempt follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retried: bool,
    /// What the connector has to tell, such as `GET api.example.com: 200 in 34 ms`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl StepRecord {
    /// What later nodes see of this attempt, for [`Values::outputs`]: its output, else its error as `{class,
    /// code, message}`.
    pub fn value(&self) -> Option<Arc<Value>> {
        self.output.clone().or_else(|| self.error.as_ref().map(|failure| Arc::new(error_value(failure))))
    }
}

/// A failure as expressions see it: `{class, code, message}`.
pub fn error_value(failure: &Failure) -> Value {
    json!({ "class": failure.class, "code": failure.code, "message": failure.message })
}

/// The values that a run's control state refers to, read from its store.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// What the run was started with.
    pub inputs: Arc<Value>,
    /// Outputs of the nodes that succeeded, and `{class, code, message}` of those that failed.
    pub outputs: HashMap<NodeKey, Arc<Value>>,
}

/// One attempt of an effectful node, ready to be executed by a connector.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The owner of the run; for limits and breakers.
    pub team_id: TeamId,
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: NodeKey,
    /// The claim under which it runs.
    pub attempt: Attempt,
    /// Its type, such as `get_api`.
    pub node_type: String,
    /// Its metadata with every template evaluated.
    pub config: Value,
    /// Texts of it that secrets are still to be put into, which only a connector does. They are named here and not marked in the text, since a
    /// text may hold what a stranger sent.
    pub secrets: Vec<WithSecrets>,
    /// The same on every attempt: `<run>:<node>:<item>` (engine.md).
    pub idempotency_key: String,
    /// Seconds this attempt may take, as the node says.
    pub timeout_s: u32,
}
