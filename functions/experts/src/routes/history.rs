//! What experts were.

use axum::extract::State as Ex;
use catalog::Window;
use domain::ExpertId;
use heddle_http::{ApiResult, Caller, Json, Page, PageQuery, Path, Query, docs};

use crate::{State, views::EarlierState};

/// List what an expert was before each edit that it had while it was active, the latest first.
#[utoipa::path(get, path = "/experts/{expert_id}/history", tag = "experts", operation_id = "list_expert_history",
    params(("expert_id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<EarlierState>), docs::ListingBelow))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<ExpertId>,
    Query(q): Query<PageQuery>,
) -> ApiResult<Json<Page<EarlierState>>> {
    let (limit, offset) = (q.limit.get(), q.offset);
    let page = s.catalog.get().await?.expert_history(who.team_id, id, Window { limit, offset }).await?;
    let items = page.items.into_iter().map(EarlierState::from).collect();
    Ok(Json(Page { items, total: page.total, limit, offset }))
}
