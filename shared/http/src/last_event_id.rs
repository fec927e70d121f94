//! `Last-Event-ID`: how a client of an event stream says what it has seen (WHATWG HTML, server-sent events).

use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::{ApiError, Code};

/// The id of the last event that the client saw, if it saw one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastEventId<T>(pub Option<T>);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for LastEventId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut ids = parts.headers.get_all("last-event-id").iter();
        let id = match (ids.next(), ids.next()) {
            (None, _) => return Ok(Self(None)),
            (Some(id), None) => id.to_str().ok().and_then(|id| id.parse().ok()),
            (Some(_), Some(_)) => None,
        };
        id.map(|id| Self(Some(id))).ok_or_else(|| {
            ApiError::new(
                Code::InvalidHeader,
                "Last-Event-ID takes the id of an event, once, as it was sent.",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(ids: &[&str]) -> Result<Option<u8>, Code> {
        let mut request = http::Request::get("/");
        for id in ids {
            request = request.header("Last-Event-ID", *id);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        LastEventId::from_request_parts(&mut parts, &()).await.map(|id| id.0).map_err(|error| error.code())
    }

    #[tokio::test]
    async fn it_is_an_id_once_or_absent() {
        assert_eq!(read(&[]).await, Ok(None));
        assert_eq!(read(&["7"]).await, Ok(Some(7)));
        for bad in [&[""][..], &["x"], &["7", "8"], &["\u{fffd}"]] {
            assert_eq!(read(bad).await, Err(Code::InvalidHeader), "{bad:?}");
        }
    }
}
