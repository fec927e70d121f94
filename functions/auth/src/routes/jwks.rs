//! What tokens are verified by.

use axum::{extract::State as Ex, response::IntoResponse};
use heddle_http::{ApiResult, Json, docs};
use http::{HeaderValue, header};

use crate::{State, views::JwksView};

/// As long as a process takes to hear of a rotation.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Read the public keys that access tokens are signed with.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth", operation_id = "read_jwks",
    responses((status = 200, body = JwksView), docs::Publishing))]
pub(crate) async fn jwks(Ex(s): Ex<State>) -> ApiResult<impl IntoResponse> {
    let jwks = JwksView::from(s.identity.jwks().await?);
    Ok(([(header::CACHE_CONTROL, CACHED)], Json(jwks)))
}
