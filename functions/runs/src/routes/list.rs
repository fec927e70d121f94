//! Listing runs.

use app::ports::{RunFilter, StoreError};
use axum::extract::State as Ex;
use domain::{FieldError, RunStatus, WorkflowId};
use heddle_http::{ApiError, ApiResult, Caller, CursorPage, Json, Limit, Query, docs};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    State,
    views::{RunStatusDoc, RunSummaryView},
};

/// Which runs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only of this workflow.
    #[param(value_type = Option<Uuid>)]
    workflow_id: Option<WorkflowId>,
    /// Only in this status.
    #[param(value_type = Option<RunStatusDoc>)]
    status: Option<RunStatus>,
    /// 1 to 100; 20 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List the team's runs, newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", operation_id = "list_runs", params(ListQuery),
    responses((status = 200, body = CursorPage<RunSummaryView>), docs::Listing))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<ListQuery>,
) -> ApiResult<Json<CursorPage<RunSummaryView>>> {
    let filter = RunFilter { workflow_id: q.workflow_id, status: q.status };
    let page =
        s.store.list(who.team_id, &filter, q.cursor.as_deref(), q.limit.get()).await.map_err(refused)?;
    let items = page.items.into_iter().map(RunSummaryView::from).collect();
    Ok(Json(CursorPage { items, next_cursor: page.next_cursor }))
}

fn refused(error: StoreError) -> ApiError {
    match error {
        StoreError::Violates(rule) if rule == "cursor" => ApiError::validation(vec![FieldError {
            pointer: "/query/cursor".to_owned(),
            code: "invalid_parameter".to_owned(),
            detail: "This is not a cursor that a page gave.".to_owned(),
            node: None,
            offset: None,
        }]),
        other => other.into(),
    }
}
