//! Workflows themselves: create, list, read, change.

use app::ports::{StoreError, WorkflowCatalog as _};
use axum::{extract::State as Ex, response::IntoResponse};
use catalog::{Window, WorkflowFilter};
use domain::{WorkflowId, WorkflowStatus};
use heddle_http::{
    ApiError, ApiResult, BASE, Caller, IfMatch, Json, Limit, Origin, Page, Path, Query, docs, etag,
};
use http::{StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    State,
    views::{CreateWorkflow, UpdateWorkflow, WorkflowDetail, WorkflowView},
};

/// Create a workflow.
///
/// It begins as a draft with an empty graph. A service is attached to what it creates.
#[utoipa::path(post, path = "/workflows", tag = "workflows", operation_id = "create_workflow",
    request_body = CreateWorkflow, responses((status = 201, body = WorkflowView, headers(
        ("Location" = String, description = "The workflow's path."), ("ETag" = String, description = "Its revision."))),
        docs::Creating))]
pub(crate) async fn create(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Json(body): Json<CreateWorkflow>,
) -> ApiResult<impl IntoResponse> {
    let service = who.service().map(|service| (service, s.ids.next()));
    let new = body.check(WorkflowId::new(s.ids.next()), service).map_err(ApiError::validation)?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let workflow = s.catalog.get().await?.workflow_insert(who.team_id, &new, &act).await?;
    let location = [(header::LOCATION, format!("{BASE}/workflows/{}", workflow.id))];
    Ok((StatusCode::CREATED, location, etag(workflow.revision), Json(WorkflowView::from(workflow))))
}

/// Which workflows to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only in this status.
    #[param(value_type = Option<crate::views::WorkflowStatusDoc>)]
    status: Option<WorkflowStatus>,
    /// Only with this tag.
    tag: Option<String>,
    /// Only with this text in their name, whatever its case.
    search: Option<String>,
    /// 1 to 100; 20 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// How many to skip.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    offset: u32,
}

/// List the team's workflows, newest first.
#[utoipa::path(get, path = "/workflows", tag = "workflows", operation_id = "list_workflows", params(ListQuery),
    responses((status = 200, body = Page<WorkflowView>), docs::Listing))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<ListQuery>,
) -> ApiResult<Json<Page<WorkflowView>>> {
    let (limit, offset) = (q.limit.get(), q.offset);
    let filter = WorkflowFilter { status: q.status, tag: q.tag, search: q.search };
    let page = s.catalog.get().await?.workflow_list(who.team_id, &filter, Window { limit, offset }).await?;
    let items = page.items.into_iter().map(WorkflowView::from).collect();
    Ok(Json(Page { items, total: page.total, limit, offset }))
}

/// Read a workflow with its draft graph.
#[utoipa::path(get, path = "/workflows/{workflow_id}", tag = "workflows", operation_id = "get_workflow",
    params(("workflow_id" = Uuid, Path)),
    responses((status = 200, body = WorkflowDetail, headers(("ETag" = String, description = "Its revision."))), docs::Reading))]
pub(crate) async fn detail(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<WorkflowId>,
) -> ApiResult<impl IntoResponse> {
    let catalog = s.catalog.get().await?;
    // The draft first: should an edit fall between the two, the tag is the older one and a change based on it is refused.
    let draft = catalog.draft(who.team_id, id).await?;
    let workflow = catalog.workflow_get(who.team_id, id).await?;
    Ok((etag(draft.revision), Json(WorkflowDetail::new(workflow, draft))))
}

/// Change a workflow's name and settings.
///
/// Absent fields stay as they are. The graph has its own route.
#[utoipa::path(patch, path = "/workflows/{workflow_id}", tag = "workflows", operation_id = "update_workflow",
    params(("workflow_id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    request_body = UpdateWorkflow,
    responses((status = 200, body = WorkflowView, headers(("ETag" = String, description = "Its new revision."))), docs::Changing))]
pub(crate) async fn update(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<WorkflowId>,
    IfMatch(revision): IfMatch,
    Json(body): Json<UpdateWorkflow>,
) -> ApiResult<impl IntoResponse> {
    let patch = body.check().map_err(ApiError::validation)?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let updated = s.catalog.get().await?.workflow_update(who.team_id, id, &patch, revision, &act).await;
    let workflow = updated.map_err(|error| stale_if(revision, error))?;
    Ok((etag(workflow.revision), Json(WorkflowView::from(workflow))))
}

/// A conflict is the client's stale tag where it sent one.
pub(super) fn stale_if(revision: Option<i64>, error: StoreError) -> ApiError {
    match error {
        StoreError::Conflict if revision.is_some() => IfMatch::stale(),
        other => other.into(),
    }
}
