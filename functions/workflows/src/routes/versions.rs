//! Published versions.

use app::{PublishError, PublishPorts, PublishWorkflow, diff_versions, ports::StoreError, publish_workflow};
use axum::{extract::State as Ex, response::IntoResponse};
use catalog::Window;
use domain::WorkflowId;
use heddle_http::{
    ApiError, ApiResult, BASE, Caller, IfMatch, Json, Origin, Page, PageQuery, Path, Query, docs, etag,
};
use http::{StatusCode, header};

use super::{errors_of, workflows::stale_if};
use crate::{
    State,
    views::{DiffView, Named, Publish, Published, VersionSummary, VersionView, WorkflowDetail},
};

/// Publish the draft as the next version.
///
/// From then on a start of the workflow runs this version. The answer has its warnings, and the plan of its runs over all inputs that it allows.
#[utoipa::path(post, path = "/workflows/{workflow_id}/publish", tag = "versions", operation_id = "publish_workflow",
    params(("workflow_id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    request_body = Option<Publish>,
    responses((status = 201, body = Published, headers(("Location" = String, description = "The version's path."))), docs::Changing))]
pub(crate) async fn publish(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<WorkflowId>,
    IfMatch(if_revision): IfMatch,
    body: Option<Json<Publish>>,
) -> ApiResult<impl IntoResponse> {
    let note = body.unwrap_or_default().0.check().map_err(ApiError::validation)?;
    let ports = PublishPorts {
        catalog: s.catalog.as_ref(),
        store: s.store.as_ref(),
        clock: s.clock.as_ref(),
        ids: s.ids.as_ref(),
    };
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let wish = PublishWorkflow { team_id: who.team_id, workflow_id: id, if_revision, note, act };
    let made = publish_workflow(&ports, &wish).await.map_err(|error| refused(if_revision, error))?;
    let location = [(header::LOCATION, format!("{BASE}/workflows/{id}/versions/{}", made.version.number))];
    Ok((StatusCode::CREATED, location, Json(Published::from(made))))
}

pub(super) fn refused(revision: Option<i64>, error: PublishError) -> ApiError {
    match error {
        PublishError::NotFound => ApiError::not_found(),
        PublishError::Changed => stale_if(revision, StoreError::Conflict),
        PublishError::Invalid(violations) => errors_of(violations),
        PublishError::Store(error) => error.into(),
    }
}

/// List a workflow's versions, newest first.
#[utoipa::path(get, path = "/workflows/{workflow_id}/versions", tag = "versions", operation_id = "list_versions",
    params(("workflow_id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<VersionSummary>), docs::ListingBelow))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<WorkflowId>,
    Query(q): Query<PageQuery>,
) -> ApiResult<Json<Page<VersionSummary>>> {
    let (limit, offset) = (q.limit.get(), q.offset);
    let page = s.catalog.get().await?.version_list(who.team_id, id, Window { limit, offset }).await?;
    let items = page.items.into_iter().map(VersionSummary::from).collect();
    Ok(Json(Page { items, total: page.total, limit, offset }))
}

/// Read a version by its number.
#[utoipa::path(get, path = "/workflows/{workflow_id}/versions/{number}", tag = "versions", operation_id = "get_version",
    params(("workflow_id" = Uuid, Path), ("number" = u32, Path, description = "Which, counted from 1.")),
    responses((status = 200, body = VersionView), docs::Reading))]
pub(crate) async fn detail(
    Ex(s): Ex<State>,
    who: Caller,
    Path((id, number)): Path<(WorkflowId, u32)>,
) -> ApiResult<Json<VersionView>> {
    let version = s.catalog.get().await?.version_by_number(who.team_id, id, number).await?;
    Ok(Json(VersionView::from(version)))
}

/// Compare two versions.
///
/// Either may be `draft`, for the draft as it stands. What is told leads from the first to the second: nodes and edges, what stands around
/// them, the types of what nodes and the whole give, and what a run takes.
#[utoipa::path(get, path = "/workflows/{workflow_id}/versions/{number}/diff/{other}", tag = "versions",
    operation_id = "diff_versions",
    params(("workflow_id" = Uuid, Path), ("number" = String, Path, description = "The number of a version, or `draft`.", example = "1"),
        ("other" = String, Path, description = "The number of a version, or `draft`.", example = "draft")),
    responses((status = 200, body = DiffView), docs::Reading))]
pub(crate) async fn diff(
    Ex(s): Ex<State>,
    who: Caller,
    Path((id, Named(from), Named(to))): Path<(WorkflowId, Named, Named)>,
) -> ApiResult<Json<DiffView>> {
    let compared = diff_versions(s.catalog.as_ref(), who.team_id, id, (from, to)).await?;
    Ok(Json(DiffView::from(compared)))
}

/// Make a version the draft again.
///
/// Its graph, the schema of its inputs, what it says of its runs, and whether services may start it. Name, description, tags, schedule and
/// other settings are the workflow's and stay. What runs is still the published version.
#[utoipa::path(post, path = "/workflows/{workflow_id}/versions/{number}/restore", tag = "versions", operation_id = "restore_version",
    params(("workflow_id" = Uuid, Path), ("number" = u32, Path, description = "Which, counted from 1."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 200, body = WorkflowDetail, headers(("ETag" = String, description = "The new revision."))), docs::Restoring))]
pub(crate) async fn restore(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((id, number)): Path<(WorkflowId, u32)>,
    IfMatch(revision): IfMatch,
) -> ApiResult<impl IntoResponse> {
    let catalog = s.catalog.get().await?;
    let version = catalog.version_by_number(who.team_id, id, number).await?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let restored = catalog.version_restore(&version, revision, s.ids.as_ref(), &act).await;
    let draft = restored.map_err(|error| stale_if(revision, error))?;
    let workflow = catalog.workflow_get(who.team_id, id).await?;
    Ok((etag(draft.revision), Json(WorkflowDetail::new(workflow, draft))))
}
