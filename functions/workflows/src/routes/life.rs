//! What becomes of a workflow: where it stands (WF-04), copies of it (WF-06), its end (WF-05).

use app::ports::StoreError;
use axum::{extract::State as Ex, response::IntoResponse};
use catalog::{NO_VERSION, WRONG_MOVE, WorkflowUser};
use domain::{FieldError, WorkflowId};
use heddle_http::{ApiError, ApiResult, BASE, Caller, Code, IfMatch, Json, Origin, Path, docs, etag};
use http::{StatusCode, header};

use super::workflows::stale_if;
use crate::{
    State,
    views::{Duplicate, MoveWorkflow, WorkflowView},
};

/// Move a workflow to another status.
///
/// It may be archived, and then starts no more runs, and be brought back to what it was: published if it has a version, else a draft.
/// What never was published is published by its first version and not here.
#[utoipa::path(patch, path = "/workflows/{workflow_id}/status", tag = "workflows", operation_id = "move_workflow",
    params(("workflow_id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    request_body = MoveWorkflow,
    responses((status = 200, body = WorkflowView, headers(("ETag" = String, description = "Its new revision."))), docs::Moving))]
pub(crate) async fn set_status(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<WorkflowId>,
    IfMatch(revision): IfMatch,
    Json(body): Json<MoveWorkflow>,
) -> ApiResult<impl IntoResponse> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let moved = s.catalog.get().await?.workflow_move(who.team_id, id, body.status, revision, &act).await;
    let workflow = moved.map_err(|error| not_moved(revision, error))?;
    Ok((etag(workflow.revision), Json(WorkflowView::from(workflow))))
}

fn not_moved(revision: Option<i64>, error: StoreError) -> ApiError {
    match error {
        StoreError::Violates(rule) if rule == NO_VERSION => {
            ApiError::new(Code::NotPublished, "The workflow has no version yet; publish it.")
        }
        StoreError::Violates(rule) if rule == WRONG_MOVE => {
            let detail = "A workflow that has a version is published or archived, and no draft again.";
            ApiError::validation(vec![FieldError::new("/status", "wrong_status", detail)])
        }
        other => stale_if(revision, other),
    }
}

/// Copy a workflow's draft.
///
/// The copy is a draft with the graph, inputs, settings, tags and description of the other, which it names as `parent_workflow_id`. What
/// starts it and who sees it is not copied: schedule, services, `is_api` and `is_public`.
#[utoipa::path(post, path = "/workflows/{workflow_id}/duplicate", tag = "workflows", operation_id = "duplicate_workflow",
    params(("workflow_id" = Uuid, Path)), request_body = Option<Duplicate>,
    responses((status = 201, body = WorkflowView, headers(
        ("Location" = String, description = "The copy's path."), ("ETag" = String, description = "Its revision."))),
        docs::Rotating))]
pub(crate) async fn duplicate(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<WorkflowId>,
    body: Option<Json<Duplicate>>,
) -> ApiResult<impl IntoResponse> {
    let name = body.unwrap_or_default().0.check().map_err(ApiError::validation)?;
    let (ids, copy) = (s.ids.as_ref(), WorkflowId::new(s.ids.next()));
    let act = who.act(origin, ids, s.clock.as_ref());
    let catalog = s.catalog.get().await?;
    let made = catalog.workflow_duplicate(who.team_id, id, copy, name.as_deref(), ids, &act).await?;
    let location = [(header::LOCATION, format!("{BASE}/workflows/{copy}"))];
    Ok((StatusCode::CREATED, location, etag(made.revision), Json(WorkflowView::from(made))))
}

/// Delete a workflow with its draft and versions.
///
/// Refused while the published version of another workflow runs it, or has it for its errors. Runs keep their versions.
#[utoipa::path(delete, path = "/workflows/{workflow_id}", tag = "workflows", operation_id = "delete_workflow",
    params(("workflow_id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses((status = 204, description = "It is gone."), docs::Discarding))]
pub(crate) async fn delete(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<WorkflowId>,
    IfMatch(revision): IfMatch,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let deleted = s.catalog.get().await?.workflow_delete(who.team_id, id, revision, &act).await;
    let users = deleted.map_err(|error| stale_if(revision, error))?;
    if users.is_empty() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let errors = users.into_iter().map(used_by).collect();
    Err(ApiError::new(Code::InUse, "Published workflows use this workflow.").with_errors(errors))
}

fn used_by(WorkflowUser { id, name }: WorkflowUser) -> FieldError {
    let detail = format!("The published version of the workflow {name} ({id}) uses it.");
    FieldError::new("", "used_by_workflow", &detail)
}
