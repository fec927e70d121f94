//! Reading one run.

use app::{
    ports::StoreError,
    story::{self, Order},
};
use axum::extract::State as Ex;
use domain::{RunId, RunStatus};
use engine::Run;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use heddle_http::{ApiResult, Caller, CursorPage, Json, Path, docs};
use runtime::scope;

use super::{annotations, load, version_of};
use crate::{
    State,
    values::Budget,
    views::{LogLine, RunDetail, StepView, StepsWaiting, Waiting, steps_of},
};

/// The most parts of loops that are looked at for steps that wait: all of a loop, where it works on a thousand items at a time.
const CHUNKS_READ: usize = 100;

/// Parts of loops that are looked at together.
const CHUNKS_AT_ONCE: usize = 16;

/// Read a run with its steps and timeline.
///
/// Values that would make the answer larger than 5 MB are replaced by `{"truncated": true, "bytes": …, "sha256": …}`.
#[utoipa::path(get, path = "/runs/{run_id}", tag = "runs", operation_id = "get_run", params(("run_id" = Uuid, Path)),
    responses((status = 200, body = RunDetail), docs::Reading))]
pub(crate) async fn detail(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<RunId>,
) -> ApiResult<Json<RunDetail>> {
    let (run, version) = load(&s, who, id).await?;
    let annotations = annotations::latest(&s, who, id).await?;
    let queue_position = queue_position(&s, &run.run).await?;
    let steps_waiting = steps_waiting(&s, &run.run).await?;
    Ok(Json(RunDetail::of(&run, &version, Waiting { queue_position, steps_waiting }, annotations)))
}

/// How many steps of a run could begin if calls of its team had ended, those of its loops included. Only of a run whose calls may have to
/// wait are its loops read.
async fn steps_waiting(s: &State, run: &Run) -> Result<Option<StepsWaiting>, StoreError> {
    let Some(limit) = run.max_running_steps.filter(|_| !run.status.is_terminal()) else { return Ok(None) };
    let now = s.clock.now();
    let chunks = run.children.iter().flat_map(|(node, children)| {
        children.open.iter().map(|number| engine::child_id(run.id, node, *number))
    });
    let chunks = stream::iter(chunks.take(CHUNKS_READ).collect::<Vec<_>>());
    let chunks = chunks.map(|id| s.store.load_control(run.team_id, id)).buffer_unordered(CHUNKS_AT_ONCE);
    let of_chunks = chunks.map(|chunk| match chunk {
        Ok(chunk) if chunk.is_chunk() => Ok(chunk.due(now).count()),
        // A run of its own tells it itself; and one that has not begun has nothing to tell.
        Ok(_) | Err(StoreError::NotFound) => Ok(0),
        Err(error) => Err(error),
    });
    let count = run.due(now).count() + of_chunks.try_fold(0, async |sum, count| Ok(sum + count)).await?;
    Ok((count > 0).then_some(StepsWaiting { count, limit }))
}

/// Where a run stands among those of its team that wait for others to end. Only of a run that may wait is anybody asked.
async fn queue_position(s: &State, run: &Run) -> Result<Option<u32>, StoreError> {
    if run.status != RunStatus::Pending || run.max_running.is_none() {
        return Ok(None);
    }
    s.admissions.position(run.team_id, run.id).await
}

/// Read the steps of a run, in the order of the graph.
#[utoipa::path(get, path = "/runs/{run_id}/steps", tag = "runs", operation_id = "get_run_steps", params(("run_id" = Uuid, Path)),
    responses((status = 200, body = CursorPage<StepView>), docs::Reading))]
pub(crate) async fn steps(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<RunId>,
) -> ApiResult<Json<CursorPage<StepView>>> {
    let (run, version) = load(&s, who, id).await?;
    Ok(Json(CursorPage { items: steps_of(&run, &version, &mut Budget::default()), next_cursor: None }))
}

/// Read what happened in a run, as sentences.
#[utoipa::path(get, path = "/runs/{run_id}/logs", tag = "runs", operation_id = "get_run_logs", params(("run_id" = Uuid, Path)),
    responses((status = 200, body = CursorPage<LogLine>), docs::Reading))]
pub(crate) async fn logs(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<RunId>,
) -> ApiResult<Json<CursorPage<LogLine>>> {
    let (run, records) = s.store.load_records(who.team_id, id).await?;
    scope::set_run(id);
    let version = version_of(&s, &run).await?;
    let story = story::of(&run, &records, &Order::of(&version.graph));
    let items = story.iter().flat_map(LogLine::of).collect();
    Ok(Json(CursorPage { items, next_cursor: None }))
}
