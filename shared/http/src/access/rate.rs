//! How often a member may call (SEC-01, SEC-02; api.md, Rate limits). Services are held back by what their team may have under way
//! (docs/limits.md) and by nothing here.

use std::time::Duration;

use app::ports::{Clock, Counters, StoreError};
use domain::MemberId;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{ApiError, Code};

/// What is counted, for each member on their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// Every request: 1000 an hour. Where it can't be counted it is let through: a store of counters that fails takes nothing with it.
    Api,
    /// Starts of runs: 60 a minute. Let through like the rest.
    Starts,
    /// Invitations: 50 an hour. Where it can't be counted it is refused: strangers get mail.
    Invitations,
    /// What calls a model: 100 an hour. Where it can't be counted it is refused: it costs money.
    Model,
}

impl Rate {
    /// Its name in `RateLimit`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Starts => "run-starts",
            Self::Invitations => "invitations",
            Self::Model => "model-tools",
        }
    }

    /// How many in how long.
    pub const fn most(self) -> (u64, Duration) {
        match self {
            Self::Api => (1000, Duration::from_hours(1)),
            Self::Starts => (60, Duration::from_mins(1)),
            Self::Invitations => (50, Duration::from_hours(1)),
            Self::Model => (100, Duration::from_hours(1)),
        }
    }

    /// Whether a request that can't be counted is let through.
    pub const fn fails_open(self) -> bool {
        !matches!(self, Self::Invitations | Self::Model)
    }
}

/// How a count stands, for the fields of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    rate: Rate,
    left: u64,
    seconds: i64,
}

/// Counts a request of a member, and refuses it where there were too many.
pub(super) async fn count(
    rate: Rate,
    member: MemberId,
    counters: &dyn Counters,
    clock: &dyn Clock,
) -> Result<Option<Standing>, ApiError> {
    let (most, window) = rate.most();
    let counted = match counters.add(&format!("{}/{member}", rate.name()), 1, window).await {
        Ok(counted) => counted,
        Err(error) => return uncounted(rate, error),
    };
    let seconds = (counted.ends_on - clock.now()).num_seconds().max(1);
    let standing = Standing { rate, left: most.saturating_sub(counted.count), seconds };
    if counted.count <= most {
        return Ok(Some(standing));
    }
    let refusal = ApiError::new(Code::RateLimited, "There were too many requests. Wait before the next one.");
    let refusal = refusal.with_header(header::RETRY_AFTER, HeaderValue::from(seconds));
    Err(standing
        .fields()
        .into_iter()
        .fold(refusal, |refusal, (name, value)| refusal.with_header(name, value)))
}

fn uncounted(rate: Rate, error: StoreError) -> Result<Option<Standing>, ApiError> {
    if !rate.fails_open() {
        return Err(ApiError::unavailable(error));
    }
    tracing::warn!(error = runtime::log::chain(&error), rate = rate.name(), "a request was not counted");
    Ok(None)
}

impl Standing {
    /// Adds the fields to an answer.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        headers.extend(self.fields());
    }

    /// `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers has them.
    fn fields(self) -> [(HeaderName, HeaderValue); 2] {
        let (name, (most, window)) = (self.rate.name(), self.rate.most());
        let field = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
        [
            (
                HeaderName::from_static("ratelimit-policy"),
                field(format!(r#""{name}";q={most};w={}"#, window.as_secs())),
            ),
            (
                HeaderName::from_static("ratelimit"),
                field(format!(r#""{name}";r={};t={}"#, self.left, self.seconds)),
            ),
        ]
    }
}
