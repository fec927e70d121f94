//! Why a measurement can't go on.

use std::{io, path::Path, time::Duration};

/// Longer than any answer may take; only there to end a measurement of a server that hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Why a measurement can't go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Something about the arguments.
    #[error("{0}")]
    Usage(String),
    /// A file can't be read or written.
    #[error("{path}: {error}")]
    File { path: String, error: io::Error },
    /// A socket can't be opened.
    #[error("{address}: {error}")]
    Socket { address: String, error: io::Error },
    /// No answer came.
    #[error("{path}: {error}")]
    Broken { path: String, error: hyper::Error },
    /// No answer came in time.
    #[error("{path}: no answer within {PATIENCE:?}")]
    Late { path: String },
    /// An answer came that should not have.
    #[error("{0}")]
    Wrong(String),
}

impl Failure {
    /// What is wrong with a file.
    pub(crate) fn file(path: &Path, error: io::Error) -> Self {
        Self::File { path: path.display().to_string(), error }
    }
}
