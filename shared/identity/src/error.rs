//! Why somebody is not signed in.

use app::ports::StoreError;
use domain::Timestamp;

/// What comes of credentials that are not taken.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// They are not valid. Who is told so learns nothing else: not whether there is such a person, nor which part was wrong.
    #[error("the credentials are not valid")]
    Refused,
    /// There were too many tries.
    #[error("too many tries")]
    TooMany {
        /// When the next one may be made.
        until: Timestamp,
    },
    /// The code was asked for to sign in, and sets no password. It may still be used.
    #[error("this code sets no password")]
    NoPassword,
    /// A store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for SignInError {
    /// Whoever is not found may not sign in.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::Refused,
            error => Self::Store(error),
        }
    }
}
