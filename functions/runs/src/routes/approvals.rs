//! Deciding about approvals (HIT-01, HIT-02).

use app::{AdvanceError, DecideError, Decider, decide_approval};
use axum::extract::State as Ex;
use domain::{FieldError, NodeKey, RunId};
use heddle_http::{ApiError, ApiResult, Caller, Code, Json, Path, docs};
use runtime::scope;

use crate::{
    State,
    views::{Decide, StartedRun},
};

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
    let by = Decider { id: who.service_id.to_string(), role: None };
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
