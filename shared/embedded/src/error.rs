//! What Postgres' errors mean here.

use std::{error::Error, fmt, sync::Arc};

use app::ports::StoreError;

/// Turns any error into `Unavailable`, for `map_err`.
pub(crate) fn unavailable<E>(doing: &'static str) -> impl FnOnce(E) -> StoreError
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    move |cause| StoreError::Unavailable { doing, cause: cause.into() }
}

/// What is stored does not have the form that we write.
pub(crate) fn malformed(doing: &'static str, what: &str) -> StoreError {
    unavailable(doing)(format!("a stored row has no valid `{what}`"))
}

/// One failure that several callers are told of.
#[derive(Debug, Clone)]
pub(crate) struct SharedError(pub(crate) Arc<sqlx::Error>);

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for SharedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
