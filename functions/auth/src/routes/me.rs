//! Who the caller is.

use axum::extract::State as Ex;
use heddle_http::{ApiError, ApiResult, Json, docs};

use crate::{
    State,
    member::{Member, refused},
    views::{AccountView, UpdateAccount},
};

/// Read your own account.
#[utoipa::path(get, path = "/auth/me", tag = "auth", operation_id = "read_me", security(("bearer" = [])),
    responses((status = 200, body = AccountView), docs::ReadingOneself))]
pub(crate) async fn me(Ex(s): Ex<State>, Member(who): Member) -> ApiResult<Json<AccountView>> {
    let account = s.identity.account(&who).await.map_err(|error| refused(error, s.clock.now()))?;
    Ok(Json(account.into()))
}

/// Change what you say of yourself. The address stays, and a password is changed by a code.
#[utoipa::path(patch, path = "/auth/me", tag = "auth", operation_id = "update_me", security(("bearer" = [])),
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
