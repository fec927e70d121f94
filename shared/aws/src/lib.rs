//! AWS services behind the ports of `app`; one cargo feature each, none on by default.
//!
//! - `sqs`: `SqsStepQueue`, the queue that drives runs.
//! - `s3`: `s3_blobs`, large values of runs.
//! - `secrets`: `Secrets`, values of Secrets Manager, read once.
//!
//! Everything takes the `SdkConfig` that the process loaded at boot. A client is cheap to make from it and connects with its first
//! request.

#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "secrets")]
mod secrets;
#[cfg(feature = "sqs")]
mod sqs;

#[cfg(feature = "s3")]
pub use s3::s3_blobs;
#[cfg(feature = "secrets")]
pub use secrets::Secrets;
#[cfg(feature = "sqs")]
pub use sqs::SqsStepQueue;

/// Turns any error into `Unavailable`, for `map_err`.
#[cfg(any(feature = "s3", feature = "secrets", feature = "sqs"))]
fn unavailable<E>(doing: &'static str) -> impl FnOnce(E) -> app::ports::StoreError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |cause| app::ports::StoreError::Unavailable { doing, cause: cause.into() }
}
