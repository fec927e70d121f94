//! The ports: small traits that say what a use case may ask of the world. Adapters live in `catalog`, `runstore`, `aws`,
//! `connectors`; fakes in [`crate::fakes`].

mod accounts;
mod admissions;
mod annotations;
mod audit;
mod catalog;
mod challenges;
mod chance;
mod connectors;
mod counters;
mod dead_letters;
mod kept_answers;
mod keys;
mod limits;
mod mail;
mod models;
mod name;
mod outbox;
mod queue;
mod retention;
mod run_ends;
mod run_list;
mod run_moves;
mod run_store;
mod sealed_secrets;
mod seats;
mod secrets;
mod sessions;
mod step_slots;
mod team_secrets;
mod timers;
mod web;
mod workflow_names;

pub use accounts::{Account, Accounts, NewAccount, ProfilePatch};
pub use admissions::{Admission, Admissions, MOST_RUNNING};
pub use annotations::{ANNOTATION_MAX, Annotation, Annotations};
pub use audit::{Act, Activity, Actor, AuditEntry, Outcome};
pub use catalog::{Draft, ExpertState, PublishedVersion, Runnable, WorkflowCatalog};
pub use challenges::{Challenge, Challenges};
pub use chance::{Chance, Clock, Entropy, Ids};
pub use connectors::{Connectors, Executed};
pub use counters::{Count, Counters, Window};
pub use dead_letters::{DeadLetter, DeadLetterPage, DeadLetters, Redrive};
pub use kept_answers::{ANSWER_AWAITED, ANSWER_KEPT, ANSWER_MAX, Begun, KeptAnswer, KeptAnswers};
pub use keys::{ApiKeys, ServiceCaller};
pub use limits::{AtOnce, LimitPolicies, RunningLimit, RunningLimits, Unlimited};
pub use mail::{EmailAddress, InvalidMail, Mail, Mailer};
pub use models::{Completion, ModelError, Models, Prompt};
pub use name::{InvalidName, Name};
pub use outbox::{Outbox, OutboxEntry, Taken, Teller};
pub use queue::{ANY_CLASS, Delivered, Hint, StepInbox, StepQueue};
pub use retention::{EndedRuns, Exports, Retention, RetentionPolicies};
pub use run_ends::{Polling, RunEnds};
pub use run_list::{RunFilter, RunPage, RunSummary, SUMMARY_MESSAGE_MAX, Search};
pub use run_moves::{FollowedRun, RunMoves};
pub use run_store::{Blobs, Created, IdempotencyKey, LoadedRun, RunStore};
pub use sealed_secrets::{
    DataKey, SECRET_CHANGED, SealedSecret, SealedSecrets, SecretCatalog, SecretCopies, SecretVersion,
};
pub use seats::{Seat, Seats};
pub use secrets::DeploymentSecrets;
pub use sessions::{NewToken, Rotation, Session, Sessions};
pub use step_slots::{Holding, MOST_STEPS, SlotBook, SlotWish, Slots, StepSlots};
pub use team_secrets::{SecretValue, TeamSecrets};
pub use timers::{Due, Fired, Timer, TimerSink, Timers};
pub use web::{Web, WebAnswer, WebForm};
pub use workflow_names::WorkflowNames;

/// What every store may answer instead of a value. The cause is for logs, never for clients.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such entity, or it belongs to another team: the two can't be told apart.
    #[error("not found")]
    NotFound,
    /// Someone else wrote first.
    #[error("changed by someone else in the meantime")]
    Conflict,
    /// A rule of the store was broken, such as a unique name; names the rule.
    #[error("violates {0}")]
    Violates(String),
    /// The store can't be reached or refuses for now; worth another try.
    #[error("{doing} failed")]
    Unavailable {
        /// What was attempted, such as `commit a run`.
        doing: &'static str,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Turns any error into [`StoreError::Unavailable`], for `map_err`.
pub fn unavailable<E>(doing: &'static str) -> impl FnOnce(E) -> StoreError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |cause| StoreError::Unavailable { doing, cause: cause.into() }
}
