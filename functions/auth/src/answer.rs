//! What somebody gets who signed in: tokens in the body, or in cookies.

use axum::response::{AppendHeaders, IntoResponse, Response};
use heddle_http::Json;
use http::{HeaderName, HeaderValue, header};
use identity::{SetCookies, SignedIn};

use crate::views::SignedInView;

/// The answer. With cookies the tokens are nowhere that a script of the page could read them.
pub(crate) fn signed_in(signed_in: SignedIn, is_in_cookies: bool) -> Response {
    if is_in_cookies {
        let cookies = set(&SetCookies::of(&signed_in));
        return (cookies, Json(SignedInView::in_cookies(signed_in))).into_response();
    }
    Json(SignedInView::in_body(signed_in)).into_response()
}

/// Fields that set cookies.
pub(crate) fn set(cookies: &SetCookies) -> AppendHeaders<Vec<(HeaderName, HeaderValue)>> {
    let field = |cookie: &String| Some((header::SET_COOKIE, HeaderValue::try_from(cookie).ok()?));
    AppendHeaders(cookies.0.iter().filter_map(field).collect())
}
