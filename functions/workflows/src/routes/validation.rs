//! Checks that store nothing.

use app::{ports::WorkflowCatalog as _, validate_graph};
use axum::extract::State as Ex;
use domain::WorkflowId;
use heddle_http::{ApiResult, Caller, Json, Path, docs};
use serde_json::Map;

use crate::{
    State,
    views::{CheckDraft, CheckGraph, Verdict},
};

/// Check a graph before it is imported.
#[utoipa::path(post, path = "/workflows/validate", tag = "workflows", operation_id = "validate_graph",
    request_body = CheckGraph, responses((status = 200, body = Verdict), docs::Judging))]
pub(crate) async fn check_graph(
    Ex(s): Ex<State>,
    who: Caller,
    Json(body): Json<CheckGraph>,
) -> ApiResult<Json<Verdict>> {
    let mut violations = engine::validate_input_params(&body.input_params);
    for violation in &mut violations {
        violation.pointer.insert_str(0, "/input_params");
    }
    let schema = if violations.is_empty() { body.input_params } else { Map::new() };
    violations.extend(validate_graph(s.catalog.as_ref(), who.team_id, &body.graph, &schema).await?);
    Ok(Json(Verdict::of(violations)))
}

/// Check a workflow's draft, or another graph in its place.
#[utoipa::path(post, path = "/workflows/{workflow_id}/validate", tag = "workflows", operation_id = "validate_draft",
    params(("workflow_id" = Uuid, Path)), request_body = Option<CheckDraft>,
    responses((status = 200, body = Verdict), docs::Judging))]
pub(crate) async fn check_draft(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<WorkflowId>,
    body: Option<Json<CheckDraft>>,
) -> ApiResult<Json<Verdict>> {
    let draft = s.catalog.draft(who.team_id, id).await?;
    let graph = body.and_then(|Json(body)| body.graph).unwrap_or(draft.graph);
    let violations = validate_graph(s.catalog.as_ref(), who.team_id, &graph, &draft.input_params).await?;
    Ok(Json(Verdict::of(violations)))
}
