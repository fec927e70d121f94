//! The one translation from the database's errors to [`StoreError`].

use app::ports::StoreError;
use sqlx::{error::DatabaseError, postgres::PgQueryResult};

/// For `map_err`: what the error of a statement means to a caller. `doing` names the attempt in logs, such as `save a graph`.
pub(crate) fn store_error(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| {
        if matches!(error, sqlx::Error::RowNotFound) {
            return StoreError::NotFound;
        }
        match error.as_database_error().and_then(broken_rule) {
            Some(rule) => StoreError::Violates(rule),
            None => StoreError::Unavailable { doing, cause: Box::new(error) },
        }
    }
}

/// The rule that the data broke, where it was the data's fault: the name of a constraint, or `unstorable_value` for a value that
/// no column takes, such as text with a NUL character.
fn broken_rule(error: &dyn DatabaseError) -> Option<String> {
    let code = error.code()?;
    // SQLSTATE classes: integrity constraint violation, data exception, program limit exceeded.
    match code.get(..2)? {
        "23" => Some(error.constraint().map_or_else(|| code.to_string(), str::to_owned)),
        "22" | "54" => Some("unstorable_value".to_owned()),
        _ => None,
    }
}

/// What a statement for one row means, which may have found none.
pub(crate) fn found(
    outcome: Result<PgQueryResult, sqlx::Error>,
    doing: &'static str,
) -> Result<(), StoreError> {
    found_any(&outcome.map_err(store_error(doing))?)
}

/// What a statement for one row means that found none.
pub(crate) fn found_any(done: &PgQueryResult) -> Result<(), StoreError> {
    if done.rows_affected() == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}
