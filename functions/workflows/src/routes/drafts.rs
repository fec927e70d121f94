//! Drafts that were set aside: one that came too late, and one that another took the place of.

use axum::extract::State as Ex;
use catalog::Window;
use domain::{DraftId, WorkflowId};
use heddle_http::{ApiResult, Caller, Json, Origin, Page, PageQuery, Path, Query, docs};
use http::StatusCode;

use crate::{
    State,
    views::{AsideDetail, AsideView},
};

/// List the drafts that were set aside, newest first.
///
/// The newest 20 of a workflow are kept.
#[utoipa::path(get, path = "/workflows/{workflow_id}/drafts", tag = "drafts", operation_id = "list_drafts",
    params(("workflow_id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<AsideView>), docs::ListingBelow))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<WorkflowId>,
    Query(q): Query<PageQuery>,
) -> ApiResult<Json<Page<AsideView>>> {
    let (limit, offset) = (q.limit.get(), q.offset);
    let page = s.catalog.get().await?.draft_list(who.team_id, id, Window { limit, offset }).await?;
    let items = page.items.into_iter().map(AsideView::from).collect();
    Ok(Json(Page { items, total: page.total, limit, offset }))
}

/// Read a draft that was set aside.
#[utoipa::path(get, path = "/workflows/{workflow_id}/drafts/{draft_id}", tag = "drafts", operation_id = "get_draft",
    params(("workflow_id" = Uuid, Path), ("draft_id" = Uuid, Path)),
    responses((status = 200, body = AsideDetail), docs::Reading))]
pub(crate) async fn detail(
    Ex(s): Ex<State>,
    who: Caller,
    Path((id, draft)): Path<(WorkflowId, DraftId)>,
) -> ApiResult<Json<AsideDetail>> {
    let (aside, graph) = s.catalog.get().await?.draft_get(who.team_id, id, draft).await?;
    Ok(Json(AsideDetail::new(aside, graph)))
}

/// Forget a draft that was set aside.
#[utoipa::path(delete, path = "/workflows/{workflow_id}/drafts/{draft_id}", tag = "drafts", operation_id = "delete_draft",
    params(("workflow_id" = Uuid, Path), ("draft_id" = Uuid, Path)),
    responses((status = 204, description = "It is gone."), docs::Reading))]
pub(crate) async fn delete(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((id, draft)): Path<(WorkflowId, DraftId)>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    s.catalog.get().await?.draft_delete(who.team_id, id, draft, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}
