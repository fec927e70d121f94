//! Decides what a run does next. Knows nothing of queues, tables or the wall clock, and never will:
//! simulation depends on it.
//!
//! - [`expr`]: `{{ }}` templates and JSONata behind one guard.
//! - [`nodes`]: one module per node type, and the registry of them.
//! - [`validate`](fn@validate): every problem of a graph at once.
//! - [`compile`](fn@compile): a published version becomes a [`Plan`].
//! - [`advance`](fn@advance): plan + run + event → the next run, what to record, and (by [`effects`]) what to
//!   do.

pub mod advance;
pub mod compile;
pub mod expr;
mod flow;
pub mod nodes;
mod pointer;
pub mod run;
mod schema;
mod topology;
pub mod validate;

pub use advance::{
    Decision, Effect, Event, MAX_CRASHES, Moment, Rejected, Turn, advance, effects, live_leases, newly_ready,
    run_result,
};
pub use compile::{Plan, compile};
pub use run::{
    Attempt, Call, Digest, NewRun, NodeState, ResultSource, Revision, Run, RunError, StepRecord, Values,
    error_value,
};
pub use validate::{
    Reference, ReferenceKind, Severity, Violation, references, validate, validate_for_publish,
    validate_input_params, validate_inputs,
};
