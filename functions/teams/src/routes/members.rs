//! Who is in a team, and as what (TEN-03 … TEN-06, TEN-09).

use axum::extract::State as Ex;
use catalog::Window;
use domain::{MemberId, TeamId};
use heddle_http::{ApiError, ApiResult, Caller, Json, Origin, Page, PageQuery, Path, Query, docs};
use http::StatusCode;

use crate::{
    State,
    refusal::refused,
    views::{MemberView, UpdateMember},
};

/// List the members of a team, the first to join ahead.
#[utoipa::path(get, path = "/teams/{team_id}/members", tag = "members", operation_id = "list_members",
    params(("team_id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<MemberView>), docs::ListingBelow))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<PageQuery>,
) -> ApiResult<Json<Page<MemberView>>> {
    let (limit, offset) = (q.limit.get(), q.offset);
    let page = s.catalog.get().await?.team_members(who.team_id, Window { limit, offset }).await?;
    let items = page.items.into_iter().map(MemberView::from).collect();
    Ok(Json(Page { items, total: page.total, limit, offset }))
}

/// Give a member another role, or exceptions from it.
///
/// Nobody touches somebody above them, gives a role above their own, or a permission that they don't have. A team keeps an owner.
#[utoipa::path(patch, path = "/teams/{team_id}/members/{member_id}", tag = "members", operation_id = "update_member",
    params(("team_id" = Uuid, Path), ("member_id" = Uuid, Path)), request_body = UpdateMember,
    responses((status = 200, body = MemberView), docs::Regrading))]
pub(crate) async fn update(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((team, member)): Path<(TeamId, MemberId)>,
    Json(body): Json<UpdateMember>,
) -> ApiResult<Json<MemberView>> {
    let patch = body.check().map_err(ApiError::validation)?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let updated = s.catalog.get().await?.team_member_update(team, member, &patch, &act).await;
    Ok(Json(updated.map_err(refused)?.into()))
}

/// Take a member out of a team; or leave it, which anybody may.
#[utoipa::path(delete, path = "/teams/{team_id}/members/{member_id}", tag = "members", operation_id = "remove_member",
    params(("team_id" = Uuid, Path), ("member_id" = Uuid, Path)),
    responses((status = 204, description = "They are out."), docs::Leaving))]
pub(crate) async fn remove(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((team, member)): Path<(TeamId, MemberId)>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    s.catalog.get().await?.team_leave(team, member, &act).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
