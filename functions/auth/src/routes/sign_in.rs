//! Signing in: by a code, by a password, by a refresh token.

use axum::{extract::State as Ex, response::Response};
use heddle_http::{ApiError, ApiResult, Json, Origin, cookies, docs, forged, page};
use http::HeaderMap;

use crate::{
    State, answer,
    refusal::refused,
    views::{CodeSent, Login, Refresh, RequestCode, SignedInView, VerifyCode},
};

/// Have a code sent that signs in, signs up or lets choose another password. What is answered does not depend on whether the address is
/// known.
#[utoipa::path(post, path = "/auth/request-otp", tag = "auth", operation_id = "request_otp",
    request_body = RequestCode, responses((status = 200, body = CodeSent), docs::RequestingCode))]
pub(crate) async fn request_otp(
    Ex(s): Ex<State>,
    Origin(client): Origin,
    Json(body): Json<RequestCode>,
) -> ApiResult<Json<CodeSent>> {
    let (address, purpose) = body.check().map_err(ApiError::validation)?;
    let sent = s.identity.request_code(&address, purpose, &client).await;
    sent.map_err(|error| refused(error, s.clock.now()))?;
    Ok(Json(CodeSent::new()))
}

/// Sign in by a code.
#[utoipa::path(post, path = "/auth/verify-otp", tag = "auth", operation_id = "verify_otp",
    request_body = VerifyCode, responses((status = 200, body = SignedInView), docs::SigningIn))]
pub(crate) async fn verify_otp(
    Ex(s): Ex<State>,
    Origin(client): Origin,
    Json(body): Json<VerifyCode>,
) -> ApiResult<Response> {
    let (address, code, is_in_cookies) = body.check().map_err(ApiError::validation)?;
    let signed_in = s.identity.verify_code(&address, code, &client).await;
    let signed_in = signed_in.map_err(|error| refused(error, s.clock.now()))?;
    Ok(answer::signed_in(signed_in, is_in_cookies))
}

/// Sign in by a password.
#[utoipa::path(post, path = "/auth/login", tag = "auth", operation_id = "login",
    request_body = Login, responses((status = 200, body = SignedInView), docs::SigningIn))]
pub(crate) async fn login(
    Ex(s): Ex<State>,
    Origin(client): Origin,
    Json(body): Json<Login>,
) -> ApiResult<Response> {
    let (address, password, is_in_cookies) = body.check().map_err(ApiError::validation)?;
    let signed_in = s.identity.login(&address, password, &client).await;
    let signed_in = signed_in.map_err(|error| refused(error, s.clock.now()))?;
    Ok(answer::signed_in(signed_in, is_in_cookies))
}

/// Get the next tokens, by the refresh token in the body or, without a body, by the one in the cookie, which needs the `X-CSRF-Token`
/// header too. A token is good once; using it again within ten seconds gives the same answer, and later ends the session.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", operation_id = "refresh",
    request_body = Option<Refresh>, responses((status = 200, body = SignedInView), docs::Refreshing))]
pub(crate) async fn refresh(
    Ex(s): Ex<State>,
    Origin(client): Origin,
    headers: HeaderMap,
    body: Option<Json<Refresh>>,
) -> ApiResult<Response> {
    let (token, session) = if let Some(Json(body)) = &body {
        (body.refresh_token.as_str(), None)
    } else {
        let cookies = cookies(&headers);
        let token = cookies.refresh.ok_or_else(ApiError::unauthorized)?;
        (token, Some(page(&headers, s.identity.verifier()).await?.ok_or_else(forged)?))
    };
    let signed_in = s.identity.refresh(token, session, &client).await;
    let signed_in = signed_in.map_err(|error| refused(error, s.clock.now()))?;
    Ok(answer::signed_in(signed_in, session.is_some()))
}
