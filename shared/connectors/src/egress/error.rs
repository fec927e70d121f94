//! Why a request brought no answer, in words that may be stored and shown.

use std::error::Error;

use domain::{ErrorClass, Failure};

/// A rule of the egress policy forbids the request. Says which, and what broke it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} (rule: {rule})")]
pub struct Refusal {
    rule: &'static str,
    text: String,
}

impl Refusal {
    pub(super) fn new(rule: &'static str, text: impl Into<String>) -> Self {
        Self { rule, text: text.into() }
    }

    /// The rule, such as `link_local` or `scheme`.
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}

/// Why a request brought no answer. Names hosts, never paths, queries, headers or bodies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The request, or a redirect of it, may not be made.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The time was over.
    #[error("{host} did not answer in time")]
    Timeout {
        /// Who was asked.
        host: String,
    },
    /// No connection, or one that broke. A certificate that is not trusted counts as this and not as permanent: certificates
    /// get renewed, and a few retries cost little.
    #[error("no answer from {host}: {cause}")]
    Connection {
        /// Who was asked.
        host: String,
        /// The innermost cause.
        cause: String,
    },
    /// The body is larger than the caller can take.
    #[error("the response of {host} is larger than {max_bytes} bytes")]
    TooLarge {
        /// Who was asked.
        host: String,
        /// The limit.
        max_bytes: usize,
    },
    /// The chain of redirects is too long, perhaps a circle.
    #[error("{host} redirects too often")]
    TooManyRedirects {
        /// The last host asked.
        host: String,
    },
    /// A redirect leads to something that is no URL.
    #[error("{host} redirects to something that is no URL")]
    BadRedirect {
        /// Who was asked.
        host: String,
    },
}

impl EgressError {
    /// What `error` says about the request to `host`. A refusal of the resolver comes back out of the client's error.
    pub(super) fn of(host: String, error: reqwest::Error) -> Self {
        // Without its URL, whose query may hold a secret, should the error be its own innermost cause.
        let error = error.without_url();
        if let Some(refusal) = causes(&error).find_map(|cause| cause.downcast_ref::<Refusal>()) {
            return Self::Refused(refusal.clone());
        }
        if error.is_timeout() {
            return Self::Timeout { host };
        }
        let innermost = causes(&error).last().map(ToString::to_string);
        Self::Connection { host, cause: innermost.unwrap_or_default() }
    }

    const fn class(&self) -> ErrorClass {
        match self {
            Self::Timeout { .. } | Self::Connection { .. } => ErrorClass::Transient,
            Self::Refused(_)
            | Self::TooLarge { .. }
            | Self::TooManyRedirects { .. }
            | Self::BadRedirect { .. } => ErrorClass::Permanent,
        }
    }

    /// A stable word for programs; the `code` of the failure.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "egress_refused",
            Self::Timeout { .. } => "timeout",
            Self::Connection { .. } => "connection",
            Self::TooLarge { .. } => "response_too_large",
            Self::TooManyRedirects { .. } => "too_many_redirects",
            Self::BadRedirect { .. } => "bad_redirect",
        }
    }
}

impl From<EgressError> for Failure {
    fn from(error: EgressError) -> Self {
        Self::new(error.class(), error.code(), error.to_string())
    }
}

/// An error and what caused it, from the outside in.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}
