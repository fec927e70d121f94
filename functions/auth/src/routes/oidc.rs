//! Signing in through another issuer: there and back again.

use axum::{
    extract::State as Ex,
    response::{AppendHeaders, IntoResponse},
};
use heddle_http::{ApiError, ApiResult, Origin, Path, Query, cookies, docs};
use http::{HeaderMap, StatusCode, header};
use identity::{Callback, SetCookies, arrived};

use crate::{
    State, answer,
    refusal::refused,
    views::{BroughtBack, Departing},
};

/// Go to an issuer to sign in there.
#[utoipa::path(get, path = "/auth/oidc/{provider}/start", tag = "auth", operation_id = "start_oidc",
    params(("provider" = String, Path, description = "The issuer's name in this deployment."), Departing),
    responses((status = 302, description = "To the issuer's page."), docs::Departing))]
pub(crate) async fn start(
    Ex(s): Ex<State>,
    Origin(client): Origin,
    Path(provider): Path<String>,
    Query(query): Query<Departing>,
) -> ApiResult<impl IntoResponse> {
    let return_to = query.check().map_err(ApiError::validation)?;
    let departure = s.identity.depart(&provider, &return_to, &client).await;
    let departure = departure.map_err(|error| refused(error, s.clock.now()))?;
    Ok((StatusCode::FOUND, [(header::LOCATION, departure.location), (header::SET_COOKIE, departure.cookie)]))
}

/// Come back from an issuer. The tokens are cookies, and the browser goes on to where it wanted to go.
#[utoipa::path(get, path = "/auth/oidc/{provider}/callback", tag = "auth", operation_id = "finish_oidc",
    params(("provider" = String, Path, description = "The issuer's name in this deployment."), BroughtBack),
    responses((status = 302, description = "Signed in, and on to the page."), docs::Arriving))]
pub(crate) async fn callback(
    Ex(s): Ex<State>,
    Origin(client): Origin,
    Path(provider): Path<String>,
    Query(query): Query<BroughtBack>,
    headers: HeaderMap,
) -> ApiResult<impl IntoResponse> {
    let callback = Callback {
        cookie: cookies(&headers).oidc,
        state: query.state.as_deref(),
        code: query.code.as_deref(),
        issuer: query.iss.as_deref(),
    };
    let arrived_as = s.identity.arrive(&provider, callback, &client).await;
    let (signed_in, return_to) = arrived_as.map_err(|error| refused(error, s.clock.now()))?;
    let page = [(header::LOCATION, return_to.as_str().to_owned())];
    let session = answer::set(&SetCookies::of(&signed_in));
    Ok((StatusCode::FOUND, page, session, AppendHeaders([(header::SET_COOKIE, arrived())])))
}
