//! What Postgres' errors mean here.

use std::{error::Error, fmt, sync::Arc};

use app::ports::StoreError;
pub(crate) use app::ports::unavailable;

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
