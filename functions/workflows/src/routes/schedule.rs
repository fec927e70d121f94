//! Starts by the clock.

use axum::extract::State as Ex;
use domain::WorkflowId;
use heddle_http::{ApiError, ApiResult, Caller, Json, Path, Query, docs};

use crate::{
    State,
    views::{PreviewQuery, SchedulePreview},
};

/// Preview when the clock starts a workflow.
///
/// Of its own schedule, or of another one before it is saved. An archived or unpublished workflow is not started by the clock, but its
/// schedule can be looked at.
#[utoipa::path(get, path = "/workflows/{workflow_id}/schedule/preview", tag = "workflows", operation_id = "preview_schedule",
    params(("workflow_id" = Uuid, Path), PreviewQuery),
    responses((status = 200, body = SchedulePreview), docs::ListingBelow))]
pub(crate) async fn preview(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<WorkflowId>,
    Query(query): Query<PreviewQuery>,
) -> ApiResult<Json<SchedulePreview>> {
    let workflow = s.catalog.get().await?.workflow_get(who.team_id, id).await?;
    let own = (workflow.cron_schedule, workflow.cron_timezone);
    Ok(Json(query.preview(own, s.clock.now()).map_err(ApiError::validation)?))
}
