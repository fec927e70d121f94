//! What the rules of teams refuse.

use app::ports::StoreError;
use catalog::{ALREADY_IN, LAST_OWNER, OUT_OF_REACH};
use heddle_http::{ApiError, Code};

/// The answer.
pub(crate) fn refused(error: StoreError) -> ApiError {
    match &error {
        StoreError::Violates(rule) if rule == OUT_OF_REACH => ApiError::forbidden(),
        StoreError::Violates(rule) if rule == LAST_OWNER => {
            ApiError::new(Code::LastOwner, "Make somebody else an owner first, or delete the team.")
        }
        StoreError::Violates(rule) if rule == ALREADY_IN => {
            ApiError::new(Code::Taken, "Whoever has this address is in the team already.")
        }
        _ => error.into(),
    }
}
