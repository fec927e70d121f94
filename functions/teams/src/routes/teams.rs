//! Teams themselves (TEN-01, TEN-08).

use app::ports::Seats as _;
use axum::{extract::State as Ex, response::IntoResponse};
use domain::TeamId;
use heddle_http::{ApiError, ApiResult, BASE, Caller, Json, Member, Origin, Page, PageQuery, Query, docs};
use http::{StatusCode, header};

use crate::{
    State,
    oneself::person,
    views::{CreateTeam, SeatView, TeamView, UpdateTeam},
};

/// Create a team. You are its owner.
#[utoipa::path(post, path = "/teams", tag = "teams", operation_id = "create_team", request_body = CreateTeam,
    responses((status = 201, body = TeamView, headers(("Location" = String, description = "The team's path."))),
        docs::ChangingOneself))]
pub(crate) async fn create(
    Ex(s): Ex<State>,
    who: Member,
    origin: Origin,
    Json(body): Json<CreateTeam>,
) -> ApiResult<impl IntoResponse> {
    let (name, description) = body.check().map_err(ApiError::validation)?;
    let founder = person(&s, &who).await?;
    let (id, owner) = (TeamId::new(s.ids.next()), (founder.id, s.ids.next()));
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let team = s.catalog.get().await?.team_found(id, &name, &description, owner, &act).await?;
    let location = [(header::LOCATION, format!("{BASE}/teams/{id}"))];
    Ok((StatusCode::CREATED, location, Json(TeamView::from(team))))
}

/// List the teams that you are in, the one that you joined first ahead.
#[utoipa::path(get, path = "/teams", tag = "teams", operation_id = "list_teams", params(PageQuery),
    responses((status = 200, body = Page<SeatView>), docs::Listing))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    Member(who): Member,
    Query(q): Query<PageQuery>,
) -> ApiResult<Json<Page<SeatView>>> {
    let seats = s.catalog.seats(who.member_id).await?;
    let (limit, offset) = (q.limit.get(), q.offset);
    let total = seats.len() as u64;
    let shown = seats.into_iter().skip(offset as usize).take(limit as usize);
    Ok(Json(Page { items: shown.map(SeatView::from).collect(), total, limit, offset }))
}

/// Read a team.
#[utoipa::path(get, path = "/teams/{team_id}", tag = "teams", operation_id = "get_team",
    params(("team_id" = Uuid, Path)), responses((status = 200, body = TeamView), docs::Reading))]
pub(crate) async fn detail(Ex(s): Ex<State>, who: Caller) -> ApiResult<Json<TeamView>> {
    Ok(Json(s.catalog.get().await?.team_get(who.team_id).await?.into()))
}

/// Change a team's name, description or settings. Absent fields stay; `settings` are replaced as a whole.
#[utoipa::path(patch, path = "/teams/{team_id}", tag = "teams", operation_id = "update_team",
    params(("team_id" = Uuid, Path)), request_body = UpdateTeam,
    responses((status = 200, body = TeamView), docs::Amending))]
pub(crate) async fn update(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Json(body): Json<UpdateTeam>,
) -> ApiResult<Json<TeamView>> {
    let patch = body.check().map_err(ApiError::validation)?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    Ok(Json(s.catalog.get().await?.team_update(who.team_id, &patch, &act).await?.into()))
}

/// Delete a team with all that it owns. Its audit log is kept.
#[utoipa::path(delete, path = "/teams/{team_id}", tag = "teams", operation_id = "delete_team",
    params(("team_id" = Uuid, Path)), responses((status = 204, description = "It is gone."), docs::Reading))]
pub(crate) async fn delete(Ex(s): Ex<State>, who: Caller, origin: Origin) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    s.catalog.get().await?.team_delete(who.team_id, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}
