//! What the flows share: the stack under test, a client of its API, an HTTP target, a worker of their own.

pub mod api;
pub mod process;
pub mod quiet_run;
pub mod standalone;
pub mod target;
pub mod traces;
pub mod worker;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

/// The stack under test, as `make test` describes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Stack {
    /// URL of the emulated AWS.
    pub endpoint: String,
    /// Table of runs.
    pub run_table: String,
    /// Table of what may be forgotten.
    pub ephemeral_table: String,
    /// Queue that drives runs.
    pub step_queue_url: String,
    /// Bucket of large values.
    pub blob_bucket: String,
    /// Functions by their name in the workspace, as they were deployed.
    pub functions: BTreeMap<String, String>,
    /// What its services have printed.
    pub logs_dir: String,
    /// The process of the emulated AWS; functions are its children.
    pub emulator_pid: u32,
}

impl Stack {
    /// Reads the description; `make test` sets it.
    pub fn from_env() -> Self {
        let path = required("HEDDLE_FLOW_STACK");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Invokes a deployed function and answers what it returned.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let url = format!("{}/2015-03-31/functions/{}/invocations", self.endpoint, self.functions[function]);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let answer = client.post(url).body(event.to_string()).send().await.expect("the emulator answers");
        assert!(answer.headers().get("x-amz-function-error").is_none(), "{function} failed");
        serde_json::from_str(&answer.text().await.expect("a body")).expect("what it returned is JSON")
    }
}

/// The database of the stack.
pub async fn database() -> sqlx::PgPool {
    sqlx::PgPool::connect(&required("HEDDLE_TEST_DATABASE_URL")).await.expect("the database answers")
}

/// The binary that the stack deploys for a function.
pub fn deployed_binary(function: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/lambda").join(function).join("bootstrap")
}

/// An environment variable that `make test` sets.
pub fn required(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: flows need a stack, run `make test`"))
}
