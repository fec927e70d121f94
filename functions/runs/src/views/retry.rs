//! Retries of runs, one or many.

use app::{
    ports::{RunFilter, Search},
    retry_run::RetryPreview,
};
use domain::{NodeKey, RunId, RunStatus, Timestamp, WorkflowId};
use engine::RetryFrom;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// How to retry a run. All fields may be left out: then it goes on where it failed, on its own version, with its own inputs.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": {"node": "fetch_orders"}, "version": "latest"}))]
pub(crate) struct Retry {
    /// `failed`: at every node that failed or did not come to its end; `start`: at the beginning; `{"node": "<key>"}`: at this node too.
    #[serde(default)]
    from: Option<From>,
    /// `same` or `latest`. What differs in the latest version is done again.
    #[serde(default)]
    version: WhichVersion,
    /// Other inputs than the run's. What is kept was done with the earlier ones.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    inputs: Option<Map<String, Value>>,
}

/// Where to go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RetryFrom)]
enum From {
    Failed,
    Start,
    #[schema(value_type = String)]
    Node(NodeKey),
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WhichVersion {
    #[default]
    Same,
    Latest,
}

impl Retry {
    /// Where to start, whether on the latest version, and with which inputs.
    pub(crate) fn read(self) -> (RetryFrom, bool, Option<Value>) {
        let from = match self.from {
            None | Some(From::Failed) => RetryFrom::Failed,
            Some(From::Start) => RetryFrom::Start,
            Some(From::Node(node)) => RetryFrom::Node(node),
        };
        (from, self.version == WhichVersion::Latest, self.inputs.map(Value::Object))
    }
}

/// The run that retries another one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Retried {
    /// The new run.
    #[schema(value_type = Uuid)]
    pub(crate) run_id: RunId,
    /// The run that it goes on from.
    #[schema(value_type = Uuid)]
    pub(crate) retry_of: RunId,
}

/// Which failed runs to retry, and whether to do it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkRetry {
    /// Only of this workflow.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    workflow_id: Option<WorkflowId>,
    /// Only accepted at this time or later.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only accepted before this time.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Only those whose error has this text in its code or message, whatever its case.
    #[serde(default)]
    #[schema(example = "http_503")]
    error: Option<String>,
    /// False, and where it is left out: only tell what would be done again. True: do it.
    #[serde(default)]
    pub(crate) confirm: bool,
    /// How many runs at most, the newest first: 1 to 100, 20 where absent.
    #[serde(default)]
    #[schema(example = 100)]
    limit: Option<u32>,
}

impl BulkRetry {
    pub(crate) fn filter(&self) -> RunFilter {
        RunFilter {
            workflow_id: self.workflow_id,
            statuses: vec![RunStatus::Failed],
            from: self.from,
            to: self.to,
            search: self.error.as_ref().map(|text| Search::new(text, Vec::new())),
            ..RunFilter::default()
        }
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit.unwrap_or(20).clamp(1, 100)
    }
}

/// What a retry of many runs does, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkRetried {
    /// Whether it was done.
    pub(crate) confirmed: bool,
    /// The runs, newest first.
    pub(crate) runs: Vec<BulkRetriedRun>,
}

/// One run of many.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkRetriedRun {
    /// The run that failed.
    #[schema(value_type = Uuid)]
    retry_of: RunId,
    /// The effectful nodes that had an attempt before and are done again.
    #[schema(value_type = Vec<String>, example = json!(["fetch_orders"]))]
    repeats: Vec<NodeKey>,
    /// The new run, if it was started.
    #[schema(value_type = Option<Uuid>)]
    run_id: Option<RunId>,
}

impl BulkRetriedRun {
    pub(crate) fn of(preview: RetryPreview, run_id: Option<RunId>) -> Self {
        Self { retry_of: preview.run.id, repeats: preview.repeats, run_id }
    }
}
