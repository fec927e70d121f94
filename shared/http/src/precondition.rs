//! `ETag` and `If-Match` (RFC 9110, 8.8.3 and 13.1.1), so that nobody overwrites a newer draft unseen.

use axum::extract::FromRequestParts;
use http::{HeaderName, HeaderValue, header, request::Parts};

use crate::{ApiError, Code};

/// The `ETag` header of an entity at `revision`: `"7"`.
pub fn etag(revision: i64) -> [(HeaderName, HeaderValue); 1] {
    let value = HeaderValue::try_from(format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"\""));
    [(header::ETAG, value)]
}

/// The revision that the client believes to be changing; None without `If-Match` or with `*`. A tag that this API never gave can't
/// be the present one: 412. More than one tag: 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<i64>);

impl IfMatch {
    /// The answer to a write whose expected revision is not the present one.
    pub fn stale() -> ApiError {
        ApiError::new(Code::Stale, "The entity is not at the state that If-Match names. Read it again.")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut tags = parts.headers.get_all(header::IF_MATCH).iter();
        let (tag, more) = (tags.next(), tags.next());
        let Some(tag) = tag else { return Ok(Self(None)) };
        let tag = tag.to_str().unwrap_or_default().trim();
        if more.is_some() || tag.contains(',') {
            return Err(ApiError::new(Code::InvalidHeader, "If-Match takes one tag."));
        }
        if tag == "*" {
            return Ok(Self(None));
        }
        let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')?.parse().ok());
        revision.map(|revision| Self(Some(revision))).ok_or_else(Self::stale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(tag: &str) -> Result<IfMatch, Code> {
        let (mut parts, ()) = http::Request::get("/x").header("if-match", tag).body(()).unwrap().into_parts();
        IfMatch::from_request_parts(&mut parts, &()).await.map_err(|error| error.code())
    }

    #[tokio::test]
    async fn the_tag_that_was_given_is_understood_and_no_other() {
        let [(_, given)] = etag(7);
        assert_eq!(read(given.to_str().unwrap()).await, Ok(IfMatch(Some(7))));
        assert_eq!(read("*").await, Ok(IfMatch(None)));
        assert_eq!(read("W/\"7\"").await, Err(Code::Stale));
        assert_eq!(read("7").await, Err(Code::Stale));
        assert_eq!(read("\"1\", \"2\"").await, Err(Code::InvalidHeader));
    }
}
