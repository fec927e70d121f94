//! What DynamoDB's errors mean here.

use app::ports::StoreError;
pub(crate) use app::ports::unavailable;
use aws_sdk_dynamodb::error::SdkError;

/// Like [`unavailable`], for what a request answers.
pub(crate) fn failed<E, R>(doing: &'static str) -> impl FnOnce(SdkError<E, R>) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    unavailable(doing)
}

/// What is stored does not have the form that we write.
pub(crate) fn malformed(doing: &'static str, what: &str) -> StoreError {
    unavailable(doing)(format!("a stored item has no valid `{what}`"))
}
