//! Cancelling a run.

use app::{AdvanceError, CancelError, cancel_run};
use axum::extract::State as Ex;
use domain::RunId;
use heddle_http::{ApiError, ApiResult, Caller, Code, Json, Path, docs};
use runtime::scope;

use crate::{State, views::StartedRun};

/// Cancel a run.
///
/// Nothing of it starts any more; the result of a call that is under way is thrown away.
#[utoipa::path(post, path = "/runs/{run_id}/cancel", tag = "runs", operation_id = "cancel_run",
    params(("run_id" = Uuid, Path)), responses((status = 200, body = StartedRun), docs::Cancelling))]
pub(crate) async fn cancel(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<RunId>,
) -> ApiResult<Json<StartedRun>> {
    scope::set_run(id);
    let run = cancel_run(&s.conductor, who.team_id, id).await.map_err(refused)?;
    scope::count(|counts| counts.run_ended(run.status));
    Ok(Json(StartedRun::of(&run)))
}

fn refused(error: CancelError) -> ApiError {
    match error {
        CancelError::NotFound => ApiError::not_found(),
        CancelError::Ended(run) => {
            ApiError::new(Code::RunEnded, format!("The run has {} already.", run.status.as_str()))
        }
        CancelError::Failed(AdvanceError::Store(error)) => error.into(),
        CancelError::Failed(error) => ApiError::internal(error),
    }
}
