//! `Prefer: wait=N` (RFC 7240). A preference that is not understood is ignored, as the RFC asks.

use std::{convert::Infallible, time::Duration};

use axum::extract::FromRequestParts;
use http::{HeaderMap, request::Parts};

/// What the client would like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prefer {
    /// How long it is willing to wait for a complete answer.
    pub wait: Option<Duration>,
}

impl<S: Send + Sync> FromRequestParts<S> for Prefer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { wait: wait(&parts.headers) })
    }
}

/// The first `wait`, as the RFC says of preferences given twice.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all("prefer").iter().filter_map(|line| line.to_str().ok());
    let preferences = lines.flat_map(|line| line.split(','));
    let waits = preferences.filter_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').parse().ok())
    });
    waits.map(|seconds| seconds.map(Duration::from_secs)).next().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_is_found_among_other_preferences() {
        for (prefer, seconds) in [
            ("wait=10", Some(10)),
            ("respond-async, Wait = \"5\"; x=y", Some(5)),
            ("wait=3, wait=9", Some(3)),
            ("wait", None),
            ("wait=soon", None),
            ("wait=-1", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([("prefer".parse().unwrap(), prefer.parse().unwrap())]);
            assert_eq!(wait(&headers), seconds.map(Duration::from_secs), "{prefer}");
        }
    }
}
