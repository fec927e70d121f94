//! Decides what a run does next. Knows nothing of queues, tables or the wall clock, and never will:
//! simulation depends on it.
//!
//! - [`expr`]: `{{ }}` templates and JSONata behind one guard.
//! - [`nodes`]: one module per node type, and the registry of them.
//! - [`validate`](fn@validate): every problem of a graph at once.
//! - [`check_shapes`]: uses of what can't be there, by what is known before anything runs.
//! - [`plan_workflow`]: what a run would do and take, told before there is one.
//! - [`diff`](fn@diff): what is different between two editions of a workflow.
//! - [`compile`](fn@compile): a published version becomes a [`Plan`].
//! - [`advance`](fn@advance): plan + run + event → the next run, what to record, and (by [`effects`]) what to
//!   do.

pub mod advance;
pub mod child;
pub mod compile;
pub mod diff;
pub mod expr;
mod flow;
pub mod forecast;
pub mod nodes;
pub mod palette;
mod plan;
mod pointer;
pub mod replay;
mod resume;
pub mod run;
mod schema;
mod shape;
mod topology;
mod typed;
pub mod validate;

pub use advance::{
    Decision, Effect, Event, MAX_CRASHES, MAX_STEPS, Moment, Rejected, Settled, Turn, advance,
    advance_unfused, effects, is_complete_with, item_results, new_effects, next_lease, run_result,
};
pub use child::{ChildRun, child_id, children_of, error_run_id, is_same_work};
pub use compile::compile;
pub use diff::diff;
pub use forecast::plan_workflow;
pub use plan::Plan;
pub use resume::kept;
pub use run::{
    Abandoned, Attempt, Awaited, Call, Children, Chunk, Digest, LONGEST_RUN, NewRun, NodeState, Parent,
    ResultSource, RetryFrom, RetryOf, Revision, Run, RunError, StepRecord, Values, Vote, error_value,
};
pub use typed::{Known, check_shapes};
pub use validate::{
    Reference, ReferenceKind, Severity, Violation, references, used_workflows, validate,
    validate_for_publish, validate_input_params, validate_inputs,
};
