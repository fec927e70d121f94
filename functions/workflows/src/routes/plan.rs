//! What a run would do, without one.

use app::{plan_draft, ports::WorkflowCatalog as _};
use axum::extract::State as Ex;
use domain::WorkflowId;
use heddle_http::{ApiResult, Caller, Json, Path, docs};

use super::versions::refused;
use crate::{
    State,
    views::{PlanDraft, PlanView},
};

/// Plan a run of the draft.
///
/// The graph is followed over the sample inputs that are given, or over all that its schema allows: the shape of what each node gives with an
/// example, the path as far as it is known, and bounds on what a run takes. Nothing is called and nothing is stored.
#[utoipa::path(post, path = "/workflows/{workflow_id}/plan", tag = "workflows", operation_id = "plan_workflow",
    params(("workflow_id" = Uuid, Path)), request_body = Option<PlanDraft>,
    responses((status = 200, body = PlanView), docs::Judging))]
pub(crate) async fn plan(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<WorkflowId>,
    body: Option<Json<PlanDraft>>,
) -> ApiResult<Json<PlanView>> {
    let Json(PlanDraft { inputs, graph }) = body.unwrap_or_default();
    let mut draft = s.catalog.draft(who.team_id, id).await?;
    draft.graph = graph.unwrap_or(draft.graph);
    let planned = plan_draft(s.catalog.as_ref(), who.team_id, &draft, inputs.as_ref()).await;
    Ok(Json(PlanView::new(planned.map_err(|error| refused(None, error))?)))
}
