//! What Heddle does, independent of where it runs: the use cases that several functions need, and the ports they reach the
//! world through.
//!
//! - [`ports`]: the traits that stores, queues and connectors implement, with the errors they may answer.
//! - [`start_run`](fn@start_run), [`advance_run`](fn@advance_run), [`decide_approval`](fn@decide_approval), [`cancel_run`](fn@cancel_run),
//!   [`retry_run`](fn@retry_run), [`replay_run`](fn@replay_run), [`remind_runs`](fn@remind_runs), [`retire_runs`](fn@retire_runs),
//!   [`publish_workflow`](fn@publish_workflow), [`tell_outbox`](fn@tell_outbox): one use case per module.
//! - [`conductor`]: how each of them moves a run: decide, commit, do what the committed state asks for.
//! - [`pieces`]: drafts piece by piece.
//! - [`story`]: what happened in a run, as events with stable ids.
//! - [`known_secret`]: secrets of the deployment that are read again now and then.
//! - [`recurrence`]: when recurring timers are due.
//! - `fakes`: in-memory implementations that pass the same suites (`conformance`) as the real ones. Both need the cargo
//!   feature `fakes`.

pub mod advance_run;
pub mod cache;
pub mod cancel_run;
pub mod conductor;
pub mod decide_approval;
pub mod diff_versions;
pub mod known_limits;
pub mod known_secret;
pub mod loaded;
pub mod pieces;
pub mod ports;
pub mod position;
pub mod publish_workflow;
pub mod recurrence;
pub mod remind_runs;
pub mod replay_run;
pub mod retire_runs;
pub mod retry_run;
pub mod spill;
pub mod start_run;
pub mod story;
pub mod tell_outbox;
pub mod wake_runs;

#[cfg(feature = "fakes")]
pub mod conformance;
#[cfg(feature = "fakes")]
pub mod fakes;

pub use advance_run::{AdvanceError, Advanced, Delivery, MessageName, StepOutcome, Worker, advance_run};
pub use cancel_run::{CancelError, cancel_run};
pub use conductor::Conductor;
pub use decide_approval::{DecideError, Decider, decide_approval};
pub use diff_versions::{Compared, Told, Which, diff_versions};
pub use known_limits::KnownLimits;
pub use known_secret::{KnownSecret, SecretText};
pub use pieces::{EditError, Pieces, PlacedEdge};
pub use publish_workflow::{
    DraftPlan, Publication, PublishError, PublishPorts, PublishWorkflow, error_workflow, plan_draft,
    publish_workflow, validate_graph, validate_settings,
};
pub use remind_runs::remind_runs;
pub use replay_run::{Comparison, NodeComparison, ReplayError, ReplayRun, replay_run};
pub use retire_runs::{RetirePorts, Retired, retire_runs};
pub use retry_run::{RetryError, RetryRun, preview_retry, retry_run};
pub use start_run::{StartError, StartPorts, StartRun, Started, Target, start_run};
pub use tell_outbox::{tell_due, tell_outbox};
pub use wake_runs::HintSink;
