//! AWS services behind the ports of `app`; one cargo feature each, none on by default.
//!
//! - `sqs`: `SqsStepQueues`, the queues that drive runs, one for each class, and `SqsDeadLetters`, what died in them.
//! - `s3`: `s3_blobs`, large values of runs.
//! - `scheduler`: `SchedulerTimers`, messages that arrive on a queue when they are due.
//! - `secrets`: `Secrets`, values of Secrets Manager, read once.
//! - `ses`: `SesMailer`, transactional mail.
//!
//! Everything takes the `SdkConfig` that the process loaded at boot. A client is cheap to make from it and connects with its
//! first request.

#[cfg(feature = "sqs")]
mod dead_letters;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "scheduler")]
mod scheduler;
#[cfg(feature = "secrets")]
mod secrets;
#[cfg(feature = "ses")]
mod ses;
#[cfg(feature = "sqs")]
mod sqs;

#[cfg(feature = "sqs")]
pub use dead_letters::SqsDeadLetters;
#[cfg(feature = "s3")]
pub use s3::s3_blobs;
#[cfg(feature = "scheduler")]
pub use scheduler::{SchedulerTimers, TimerTarget, fired};
#[cfg(feature = "secrets")]
pub use secrets::Secrets;
#[cfg(feature = "ses")]
pub use ses::SesMailer;
#[cfg(feature = "sqs")]
pub use sqs::{SqsStepQueue, SqsStepQueues, StepQueueUrls};
