//! Who calls: a member by an access token, in the `Authorization` field or in a cookie; and from where.

use axum::extract::FromRequestParts;
use domain::Timestamp;
use heddle_http::{ApiError, ClientAddress, Code};
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use identity::{CSRF_HEADER, Claims, Client, Cookies, SignInError, Unverified};

use crate::State;

/// As many characters of the client's name for itself are kept.
const AGENT_MAX: usize = 500;

/// A member who showed a valid access token. None, several and one that is not valid are the same 401.
///
/// One that came as a cookie was sent by the browser, whoever made the page: what changes anything then needs the session's CSRF token
/// in a header too, else it is a 403. Who sends the `Authorization` field has their cookies ignored.
pub(crate) struct Member(pub(crate) Claims);

impl FromRequestParts<State> for Member {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let headers = &parts.headers;
        if headers.contains_key(header::AUTHORIZATION) {
            let token = only(headers, &header::AUTHORIZATION).and_then(bearer).ok_or_else(unauthorized)?;
            return verify(state, token).await.map(Self);
        }
        let cookies = cookies(headers);
        let who = verify(state, cookies.access.ok_or_else(unauthorized)?).await?;
        if !parts.method.is_safe() {
            let page = csrf(state, headers, &cookies).await?;
            page.filter(|page| *page == who.session_id).ok_or_else(forged)?;
        }
        Ok(Self(who))
    }
}

async fn verify(state: &State, token: &str) -> Result<Claims, ApiError> {
    state.identity.verifier().verify(token).await.map_err(|error| match error {
        Unverified::Refused(_) => unauthorized(),
        Unverified::Store(error) => ApiError::unavailable(error),
    })
}

/// The cookies of the request.
pub(crate) fn cookies(headers: &HeaderMap) -> Cookies<'_> {
    Cookies::read(headers.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok()))
}

/// The session of the page that made the request: it repeats in a header what its cookie says.
pub(crate) async fn csrf(
    state: &State,
    headers: &HeaderMap,
    cookies: &Cookies<'_>,
) -> Result<Option<domain::SessionId>, ApiError> {
    match only(headers, &HeaderName::from_static(CSRF_HEADER)) {
        Some(token) if cookies.csrf == Some(token) => Ok(state.identity.csrf_session(token).await?),
        _ => Ok(None),
    }
}

/// 403 of a request that our own page did not make.
pub(crate) fn forged() -> ApiError {
    ApiError::new(Code::Forbidden, "Repeat the cookie __Host-heddle_csrf in the X-CSRF-Token header.")
}

/// The field, if it is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut fields = headers.get_all(name).iter();
    let field = fields.next().filter(|_| fields.next().is_none())?;
    field.to_str().ok()
}

fn bearer(field: &str) -> Option<&str> {
    let (scheme, token) = field.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

/// 401. Says nothing about why.
pub(crate) fn unauthorized() -> ApiError {
    ApiError::new(
        Code::Unauthorized,
        "Sign in, and send the access token as a bearer token or as the cookie.",
    )
    .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// What a sign-in that failed is answered.
pub(crate) fn refused(error: SignInError, now: Timestamp) -> ApiError {
    match error {
        SignInError::Refused => ApiError::new(Code::Unauthorized, "These credentials are not valid.")
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        SignInError::TooMany { until } => {
            let seconds = (until - now).num_seconds().max(1);
            ApiError::new(Code::RateLimited, "There were too many tries. Wait before the next one.")
                .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
        }
        SignInError::NoPassword => ApiError::validation(vec![crate::views::mistake(
            "/password",
            "not_asked_for",
            "Ask for a code to reset the password; this one signs in.",
        )]),
        SignInError::Store(error) => error.into(),
    }
}

/// Where a request comes from, and by what program.
pub(crate) struct Origin(pub(crate) Client);

impl FromRequestParts<State> for Origin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let Ok(ClientAddress(ip)) = ClientAddress::from_request_parts(parts, state).await;
        let agent = only(&parts.headers, &header::USER_AGENT);
        let user_agent = agent.map(|agent| agent.chars().take(AGENT_MAX).collect());
        Ok(Self(Client { ip, user_agent }))
    }
}
