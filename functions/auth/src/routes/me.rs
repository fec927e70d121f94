//! Who the caller is.

use axum::extract::State as Ex;
use heddle_http::{ApiError, ApiResult, Json, Member, docs};

use crate::{
    State,
    refusal::refused,
    views::{AccountView, MeView, UpdateAccount},
};

/// Read your own account, and which teams you are in.
#[utoipa::path(get, path = "/auth/me", tag = "auth", operation_id = "read_me",
    responses((status = 200, body = MeView), docs::ReadingOneself))]
pub(crate) async fn me(Ex(s): Ex<State>, Member(who): Member) -> ApiResult<Json<MeView>> {
    let account = s.identity.account(&who).await.map_err(|error| refused(error, s.clock.now()))?;
    Ok(Json(MeView::new(account, s.seats.seats(who.member_id).await?)))
}

/// Change what you say of yourself. The address stays, and a password is changed by a code.
#[utoipa::path(patch, path = "/auth/me", tag = "auth", operation_id = "update_me",
    request_body = UpdateAccount, responses((status = 200, body = AccountView), docs::ChangingOneself))]
pub(crate) async fn update(
    Ex(s): Ex<State>,
    Member(who): Member,
    Json(body): Json<UpdateAccount>,
) -> ApiResult<Json<AccountView>> {
    let patch = body.check().map_err(ApiError::validation)?;
    let account =
        s.identity.update_account(&who, &patch).await.map_err(|error| refused(error, s.clock.now()))?;
    Ok(Json(account.into()))
}
