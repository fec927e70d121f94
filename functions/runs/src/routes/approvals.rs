//! Deciding about approvals (HIT-01, HIT-02).

use app::{AdvanceError, DecideError, Decider, decide_approval, ports::RunFilter};
use axum::extract::State as Ex;
use domain::{FieldError, NodeKey, RunId, RunStatus, WorkflowId};
use heddle_http::{ApiError, ApiResult, Caller, Code, CursorPage, Json, Limit, Path, Query, docs};
use runtime::scope;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{list, version_of};
use crate::{
    State,
    views::{ApprovalView, Decide, StartedRun, approvals_of},
};

/// Which approvals to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InboxQuery {
    /// Only of this workflow.
    #[param(value_type = Option<Uuid>)]
    workflow_id: Option<WorkflowId>,
    /// How many runs to look at: 1 to 100; 20 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List what waits for a decision, of the newest runs first (HIT-03).
#[utoipa::path(get, path = "/approvals", tag = "approvals", operation_id = "list_approvals", params(InboxQuery),
    responses((status = 200, body = CursorPage<ApprovalView>), docs::Listing))]
pub(crate) async fn inbox(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<InboxQuery>,
) -> ApiResult<Json<CursorPage<ApprovalView>>> {
    let filter = RunFilter {
        workflow_id: q.workflow_id,
        statuses: vec![RunStatus::Running, RunStatus::Waiting],
        asks_people: true,
        ..RunFilter::default()
    };
    let page = s.store.list(who.team_id, &filter, q.cursor.as_deref(), q.limit.get()).await;
    let page = page.map_err(list::refused)?;
    let mut items = Vec::new();
    for run in &page.items {
        let run = s.store.load_control(who.team_id, run.id).await?;
        let version = version_of(&s, &run).await?;
        items.extend(approvals_of(&run, &version));
    }
    Ok(Json(CursorPage { items, next_cursor: page.next_cursor }))
}

/// Decide about an approval.
///
/// The first decision of each caller counts. The run goes on once as many approve as the node asks for, or one rejects.
#[utoipa::path(post, path = "/runs/{run_id}/approvals/{node}", tag = "approvals", operation_id = "decide_approval",
    request_body = Decide, params(("run_id" = Uuid, Path), ("node" = String, Path, description = "The key of the node.")),
    responses((status = 200, body = StartedRun), docs::Deciding))]
pub(crate) async fn decide(
    Ex(s): Ex<State>,
    who: Caller,
    Path((id, node)): Path<(RunId, String)>,
    Json(body): Json<Decide>,
) -> ApiResult<Json<StartedRun>> {
    scope::set_run(id);
    let by = Decider { id: who.id(), role: who.role };
    let node = NodeKey::new(node);
    let run = decide_approval(&s.conductor, who.team_id, id, &node, &by, body.decision()).await;
    Ok(Json(StartedRun::of(&run.map_err(refused)?)))
}

fn refused(error: DecideError) -> ApiError {
    match error {
        DecideError::NotFound => ApiError::not_found(),
        DecideError::NotAllowed => ApiError::forbidden(),
        DecideError::TooLate(why) => ApiError::new(Code::NotAwaited, format!("Not any more: {why}.")),
        DecideError::WrongForm(problems) => ApiError::validation(
            problems
                .into_iter()
                .map(|(pointer, detail)| FieldError {
                    pointer: format!("/form{pointer}"),
                    code: "form".to_owned(),
                    detail,
                    node: None,
                    offset: None,
                })
                .collect(),
        ),
        DecideError::Failed(AdvanceError::Store(error)) => error.into(),
        DecideError::Failed(error) => ApiError::internal(error),
    }
}
