//! Words that runs and steps are described with, shared by engine, stores and API.

use serde::{Deserialize, Serialize};

/// `pending → running ⇄ waiting → succeeded | failed | cancelled` (product.md, decision 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Accepted; no worker has looked at it yet.
    Pending,
    /// At least one node is ready or running.
    Running,
    /// Nothing to do before a point in time or a decision.
    Waiting,
    /// Ended with a result.
    Succeeded,
    /// Ended by a failure that nothing handled.
    Failed,
    /// Ended by a person or a service.
    Cancelled,
}

impl RunStatus {
    /// Whether the run has ended; an ended run never changes again.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The word used in JSON, stores and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// `blocked → ready → running → succeeded | failed | waiting | skipped | cancelled` (engine.md, life of a node).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// A parent is not settled yet.
    Blocked,
    /// May be claimed.
    Ready,
    /// A worker holds it.
    Running,
    /// Settled with an output.
    Succeeded,
    /// Settled with an error.
    Failed,
    /// Waits for a time or a decision.
    Waiting,
    /// No live edge leads to it.
    Skipped,
    /// The run ended before it did.
    Cancelled,
}

/// How a failure is to be treated (RUN-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// May pass by itself: timeout, connection, throttling, 408, 425, 429, 5xx. Retried.
    Transient,
    /// Will not pass by itself. Fails at once.
    Permanent,
    /// The workflow or its data is wrong. Fails at once, with details.
    Validation,
    /// The worker was lost too often while it held the node.
    Crashed,
}

/// Why a node, and perhaps its run, failed. Carries no secrets and no bodies: it is stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// How it is treated.
    pub class: ErrorClass,
    /// A stable word for programs, such as `http_status` or `expression`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// Seconds that the other side asked to wait (`Retry-After`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl Failure {
    /// A failure of `class`, without a wish for a delay.
    pub fn new(class: ErrorClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class, code: code.into(), message: message.into(), retry_after_s: None }
    }
}

/// What kind of event started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// A call of `POST /runs` by a service.
    Api,
    /// A member pressed run.
    Manual,
    /// A cron schedule fired.
    Schedule,
    /// An external webhook.
    Webhook,
    /// A chat message.
    Chat,
    /// A tool call over MCP.
    Mcp,
    /// A `workflow` or `for_each` node of another run.
    Workflow,
    /// The failure or cancellation of a run whose workflow names this one for it.
    Error,
}

impl TriggerKind {
    /// The word used in JSON, stores and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Manual => "manual",
            Self::Schedule => "schedule",
            Self::Webhook => "webhook",
            Self::Chat => "chat",
            Self::Mcp => "mcp",
            Self::Workflow => "workflow",
            Self::Error => "error",
        }
    }
}

/// Who or what started a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// The kind of event.
    pub kind: TriggerKind,
    /// Id of the service, member or schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
