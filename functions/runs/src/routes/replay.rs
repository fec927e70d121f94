//! Replaying runs.

use app::{AdvanceError, ReplayError, ReplayRun, replay_run};
use axum::extract::State as Ex;
use domain::{FieldError, RunId};
use heddle_http::{ApiError, ApiResult, Caller, Code, Json, Path, docs};
use runtime::scope;

use crate::{
    State,
    views::{Replay, ReplayView},
};

/// Replay a run offline, or ask what would have been.
///
/// Everything is decided again with the recorded results; nothing outside is called and nothing is stored. With other outputs for some
/// nodes, or another version, the answer shows what would change.
#[utoipa::path(post, path = "/runs/{run_id}/replay", tag = "runs", operation_id = "replay_run", request_body = Replay,
    params(("run_id" = Uuid, Path)), responses((status = 200, body = ReplayView), docs::Replaying))]
pub(crate) async fn replay(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<RunId>,
    Json(body): Json<Replay>,
) -> ApiResult<Json<ReplayView>> {
    scope::set_run(id);
    let Replay { version_id, outputs } = body;
    let wish = ReplayRun { team_id: who.team_id, run_id: id, version_id, outputs };
    let comparison = replay_run(&s.conductor, &wish).await.map_err(refused)?;
    Ok(Json(ReplayView::of(comparison)))
}

fn refused(error: ReplayError) -> ApiError {
    match error {
        ReplayError::NotFound => ApiError::not_found(),
        ReplayError::NotEnded => {
            ApiError::new(Code::RunNotEnded, "Only a run that has ended can be replayed.")
        }
        ReplayError::NoSuchNodes(nodes) => ApiError::validation(
            nodes
                .into_iter()
                .map(|node| FieldError {
                    pointer: format!("/outputs/{node}"),
                    code: "unknown_node".to_owned(),
                    detail: format!("The version has no node {node}."),
                    node: None,
                    offset: None,
                })
                .collect(),
        ),
        ReplayError::Failed(AdvanceError::Store(error)) => error.into(),
        ReplayError::Failed(error) => ApiError::internal(error),
    }
}
