//! Named schemas of what tells a service's end users apart (KEY-05, KEY-09).

use axum::{extract::State as Ex, response::IntoResponse};
use catalog::Window;
use domain::{SegmentId, ServiceId};
use heddle_http::{ApiError, ApiResult, BASE, Caller, Json, Origin, Page, PageQuery, Path, Query, docs};
use http::{StatusCode, header};

use crate::{
    State,
    refusal::refused,
    views::{CreateSegment, SegmentView, UpdateSegment},
};

/// Create a segment.
#[utoipa::path(post, path = "/services/{service_id}/segments", tag = "segments", operation_id = "create_segment",
    params(("service_id" = Uuid, Path)), request_body = CreateSegment,
    responses((status = 201, body = SegmentView, headers(("Location" = String, description = "The segment's path."))),
        docs::Naming))]
pub(crate) async fn create(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(service): Path<ServiceId>,
    Json(body): Json<CreateSegment>,
) -> ApiResult<impl IntoResponse> {
    let new = body.check(SegmentId::new(s.ids.next())).map_err(ApiError::validation)?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let made = s.catalog.get().await?.segment_insert(who.team_id, service, &new, &act).await;
    let segment = made.map_err(refused)?;
    let location = [(header::LOCATION, format!("{BASE}/services/{service}/segments/{}", segment.id))];
    Ok((StatusCode::CREATED, location, Json(SegmentView::from(segment))))
}

/// List a service's segments by name.
#[utoipa::path(get, path = "/services/{service_id}/segments", tag = "segments", operation_id = "list_segments",
    params(("service_id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<SegmentView>), docs::ListingBelow))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Path(service): Path<ServiceId>,
    Query(q): Query<PageQuery>,
) -> ApiResult<Json<Page<SegmentView>>> {
    let (limit, offset) = (q.limit.get(), q.offset);
    let page = s.catalog.get().await?.segment_list(who.team_id, service, Window { limit, offset }).await?;
    let items = page.items.into_iter().map(SegmentView::from).collect();
    Ok(Json(Page { items, total: page.total, limit, offset }))
}

/// Read a segment.
#[utoipa::path(get, path = "/services/{service_id}/segments/{segment_id}", tag = "segments", operation_id = "get_segment",
    params(("service_id" = Uuid, Path), ("segment_id" = Uuid, Path)),
    responses((status = 200, body = SegmentView), docs::Reading))]
pub(crate) async fn detail(
    Ex(s): Ex<State>,
    who: Caller,
    Path((service, id)): Path<(ServiceId, SegmentId)>,
) -> ApiResult<Json<SegmentView>> {
    Ok(Json(s.catalog.get().await?.segment_get(who.team_id, service, id).await?.into()))
}

/// Change a segment; absent fields stay. End users who were told apart by what it said before stay who they are.
#[utoipa::path(patch, path = "/services/{service_id}/segments/{segment_id}", tag = "segments",
    operation_id = "update_segment", params(("service_id" = Uuid, Path), ("segment_id" = Uuid, Path)),
    request_body = UpdateSegment, responses((status = 200, body = SegmentView), docs::Naming))]
pub(crate) async fn update(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((service, id)): Path<(ServiceId, SegmentId)>,
    Json(body): Json<UpdateSegment>,
) -> ApiResult<Json<SegmentView>> {
    let patch = body.check().map_err(ApiError::validation)?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let updated = s.catalog.get().await?.segment_update(who.team_id, service, id, &patch, &act).await;
    Ok(Json(updated.map_err(refused)?.into()))
}

/// Delete a segment.
#[utoipa::path(delete, path = "/services/{service_id}/segments/{segment_id}", tag = "segments",
    operation_id = "delete_segment", params(("service_id" = Uuid, Path), ("segment_id" = Uuid, Path)),
    responses((status = 204, description = "It is gone."), docs::Reading))]
pub(crate) async fn delete(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((service, id)): Path<(ServiceId, SegmentId)>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    s.catalog.get().await?.segment_delete(who.team_id, service, id, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}
