//! What sign-ins that fail are answered.

use domain::{FieldError, Timestamp};
use heddle_http::{ApiError, Code};
use http::{HeaderValue, header};
use identity::SignInError;

/// The answer.
pub(crate) fn refused(error: SignInError, now: Timestamp) -> ApiError {
    match error {
        SignInError::Refused => ApiError::new(Code::Unauthorized, "These credentials are not valid.")
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        SignInError::TooMany { until } => {
            let seconds = (until - now).num_seconds().max(1);
            ApiError::new(Code::RateLimited, "There were too many tries. Wait before the next one.")
                .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
        }
        SignInError::NoPassword => ApiError::validation(vec![FieldError::new(
            "/password",
            "not_asked_for",
            "Ask for a code to reset the password; this one signs in.",
        )]),
        SignInError::Store(error) => error.into(),
    }
}
