//! Sessions: which there are, and their end.

use axum::{extract::State as Ex, response::IntoResponse};
use domain::SessionId;
use heddle_http::{ApiResult, Json, Member, Path, docs};
use http::StatusCode;
use identity::SetCookies;

use crate::{
    State, answer,
    refusal::refused,
    views::{SessionList, SessionView},
};

/// List your sessions, the last used first.
#[utoipa::path(get, path = "/auth/sessions", tag = "auth", operation_id = "list_sessions",
    responses((status = 200, body = SessionList), docs::ReadingOneself))]
pub(crate) async fn list(Ex(s): Ex<State>, Member(who): Member) -> ApiResult<Json<SessionList>> {
    let sessions = s.identity.sessions(&who).await.map_err(|error| refused(error, s.clock.now()))?;
    Ok(Json(SessionList { items: sessions.into_iter().map(SessionView::from).collect() }))
}

/// End one of your sessions. Its access token holds until it expires, its refresh token no more.
#[utoipa::path(delete, path = "/auth/sessions/{session_id}", tag = "auth", operation_id = "end_session",
     params(("session_id" = Uuid, Path)),
    responses((status = 204, description = "It has ended."), docs::ActingOnOneself))]
pub(crate) async fn end(
    Ex(s): Ex<State>,
    Member(who): Member,
    Path(session): Path<SessionId>,
) -> ApiResult<StatusCode> {
    s.identity.end_session(&who, session).await.map_err(|error| refused(error, s.clock.now()))?;
    Ok(StatusCode::NO_CONTENT)
}

/// End the session that asks, and take its cookies away.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", operation_id = "logout",
    responses((status = 204, description = "The session has ended."), docs::ActingOnOneself))]
pub(crate) async fn logout(Ex(s): Ex<State>, Member(who): Member) -> ApiResult<impl IntoResponse> {
    s.identity.logout(&who).await.map_err(|error| refused(error, s.clock.now()))?;
    Ok((StatusCode::NO_CONTENT, answer::set(&SetCookies::cleared())))
}
