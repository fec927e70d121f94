//! What clients send and get. The shapes of this API, whatever the shapes inside.

mod annotation;
mod approval;
mod dead_letter;
mod event;
mod log;
mod replay;
mod retry;
mod run;
mod start;
mod step;

pub(crate) use annotation::{AnnotationView, NewAnnotation};
pub(crate) use approval::{ApprovalView, Decide, approvals_of};
pub(crate) use dead_letter::{DeadLetterList, DeadLetterView, RedriveWish, Redriven};
pub(crate) use event::{EventView, MessageDoc};
pub(crate) use log::LogLine;
pub(crate) use replay::{Replay, ReplayView};
pub(crate) use retry::{BulkRetried, BulkRetriedRun, BulkRetry, Retried, Retry};
pub(crate) use run::{
    EndedRun, RunDetail, RunStatusDoc, RunSummaryView, StartedRun, StepsWaiting, TriggerKindDoc, Waiting,
};
pub(crate) use start::{Start, Wish};
pub(crate) use step::{FailureView, StepView, steps_of};

use domain::Timestamp;

/// Whole milliseconds between two moments; 0 should a clock have gone back.
fn ms_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from((to - from).num_milliseconds()).unwrap_or_default()
}
