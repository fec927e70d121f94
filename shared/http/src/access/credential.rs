//! What a request shows of who makes it.

use domain::SessionId;
use http::{HeaderMap, HeaderName, header};
use identity::{CSRF_HEADER, Cookies, Verifier};

use crate::{ApiError, Code};

/// The header of services.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A credential. Which kind it is does not depend on whether it is worth anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    /// The key of a service.
    Key(&'a [u8]),
    /// An access token that the client sent itself.
    Token(&'a str),
    /// An access token that the browser sent, whoever made the page.
    Cookie(&'a str),
}

impl<'a> Credential<'a> {
    /// The one that the request shows; a 401 where it shows none, or two of which one would have to be preferred. Who sends a header has
    /// their cookies ignored: browsers send those by themselves.
    pub(super) fn of(headers: &'a HeaderMap) -> Result<Self, ApiError> {
        let shown = match (headers.contains_key(API_KEY), headers.contains_key(header::AUTHORIZATION)) {
            (true, true) => None,
            (true, false) => only(headers, &API_KEY).filter(|key| !key.is_empty()).map(Self::Key),
            (false, true) => only(headers, &header::AUTHORIZATION).and_then(bearer).map(Self::Token),
            (false, false) => cookies(headers).access.map(Self::Cookie),
        };
        shown.ok_or_else(ApiError::unauthorized)
    }
}

/// The cookies of the request.
pub fn cookies(headers: &HeaderMap) -> Cookies<'_> {
    Cookies::read(headers.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok()))
}

/// The session of the page that made the request: it repeats in a header what its cookie says (AUT-12, SEC-04).
pub async fn page(headers: &HeaderMap, verifier: &Verifier) -> Result<Option<SessionId>, ApiError> {
    let repeated = only(headers, &HeaderName::from_static(CSRF_HEADER));
    match repeated.and_then(|token| std::str::from_utf8(token).ok()) {
        Some(token) if cookies(headers).csrf == Some(token) => Ok(verifier.csrf_session(token).await?),
        _ => Ok(None),
    }
}

/// 403 of a request that our own page did not make.
pub fn forged() -> ApiError {
    ApiError::new(Code::Forbidden, "Repeat the cookie __Host-heddle_csrf in the X-CSRF-Token header.")
}

/// The field, if it is there once.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut fields = headers.get_all(name).iter();
    fields.next().filter(|_| fields.next().is_none()).map(http::HeaderValue::as_bytes)
}

fn bearer(field: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(field).ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn shown(fields: &[(&'static str, &'static str)]) -> Option<Credential<'static>> {
        let headers: HeaderMap = fields
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        // Tests may leak.
        Credential::of(Box::leak(Box::new(headers))).ok()
    }

    #[test]
    fn one_credential_is_taken_and_two_are_none() {
        assert_eq!(shown(&[("x-api-key", "k")]), Some(Credential::Key(b"k")));
        assert_eq!(shown(&[("authorization", "bearer  t")]), Some(Credential::Token("t")));
        assert_eq!(shown(&[("cookie", "__Host-heddle_access=c")]), Some(Credential::Cookie("c")));
        for none in [
            &[][..],
            &[("x-api-key", "")],
            &[("x-api-key", "k"), ("x-api-key", "k")],
            &[("x-api-key", "k"), ("authorization", "Bearer t")],
            &[("authorization", "Basic dTpw")],
            &[("authorization", "Bearer"), ("cookie", "__Host-heddle_access=c")],
        ] {
            assert_eq!(shown(none), None, "{none:?}");
        }
    }

    #[test]
    fn what_a_browser_sends_by_itself_yields_to_what_was_sent() {
        let cookie = ("cookie", "__Host-heddle_access=c");
        assert_eq!(shown(&[cookie, ("authorization", "Bearer t")]), Some(Credential::Token("t")));
        assert_eq!(shown(&[cookie, ("x-api-key", "k")]), Some(Credential::Key(b"k")));
    }
}
