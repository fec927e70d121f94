//! Retrying runs.

use app::{AdvanceError, RetryError, RetryRun, ports::StoreError, preview_retry, retry_run};
use axum::extract::State as Ex;
use domain::{FieldError, RunId, Trigger, TriggerKind, WorkflowId};
use engine::RetryFrom;
use heddle_http::{ApiError, ApiResult, Caller, Code, Json, Path, docs};
use http::StatusCode;
use runtime::scope;

use super::start;
use crate::{
    State,
    views::{BulkRetried, BulkRetriedRun, BulkRetry, Retried, Retry},
};

/// Retry a run that ended.
///
/// Another run goes on from what this one has come to: nodes that are kept have their recorded results, the others are done as in any
/// run. Items of a `for_each` and runs of a `workflow` node go on from where they failed too.
#[utoipa::path(post, path = "/runs/{run_id}/retry", tag = "runs", operation_id = "retry_run", request_body = Retry,
    params(("run_id" = Uuid, Path)), responses((status = 202, body = Retried), docs::Retrying))]
pub(crate) async fn retry(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<RunId>,
    Json(body): Json<Retry>,
) -> ApiResult<(StatusCode, Json<Retried>)> {
    let (from, latest_version, inputs) = body.read();
    let wish = RetryRun {
        team_id: who.team_id,
        run_id: id,
        from,
        latest_version,
        inputs,
        trigger: by(who),
        service: who.service(),
    };
    let run = retry_run(&start::ports(&s), &s.conductor, wish).await.map_err(refused)?;
    scope::set_run(run.id);
    scope::count(runtime::metrics::Counts::run_started);
    Ok((StatusCode::ACCEPTED, Json(Retried { run_id: run.id, retry_of: id })))
}

/// Retry failed runs, or tell what that would do again.
///
/// Each goes on where it failed, on its own version; for a service, those of the workflows that it sees. Without `confirm: true` nothing is done, and the answer names the effectful nodes
/// that each run would repeat.
#[utoipa::path(post, path = "/runs/retry", tag = "runs", operation_id = "retry_runs", request_body = BulkRetry,
    responses((status = 200, body = BulkRetried), docs::Judging))]
pub(crate) async fn retry_many(
    Ex(s): Ex<State>,
    who: Caller,
    Json(body): Json<BulkRetry>,
) -> ApiResult<Json<BulkRetried>> {
    let page = s.store.list(who.team_id, &body.filter(), None, body.limit()).await?;
    let mut runs = Vec::with_capacity(page.items.len());
    for summary in page.items {
        if !sees(&s, who, summary.workflow_id).await? {
            continue;
        }
        let preview = match preview_retry(&s.conductor, who.team_id, summary.id).await {
            Ok(preview) => preview,
            // It has been deleted in the meantime.
            Err(RetryError::NotFound) => continue,
            Err(error) => return Err(refused(error)),
        };
        let new = if body.confirm { Some(retry_where_it_failed(&s, who, summary.id).await?) } else { None };
        runs.push(BulkRetriedRun::of(preview, new));
    }
    Ok(Json(BulkRetried { confirmed: body.confirm, runs }))
}

/// Whether the caller may know that there is such a workflow: a service knows of those that it is attached to.
async fn sees(s: &State, who: Caller, workflow: WorkflowId) -> Result<bool, ApiError> {
    if who.service().is_none() {
        return Ok(true);
    }
    match s.catalog.runnable(who.team_id, workflow, who.service()).await {
        Ok(_) => Ok(true),
        Err(StoreError::NotFound) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn retry_where_it_failed(s: &State, who: Caller, id: RunId) -> Result<RunId, ApiError> {
    let wish = RetryRun {
        team_id: who.team_id,
        run_id: id,
        from: RetryFrom::Failed,
        latest_version: false,
        inputs: None,
        trigger: by(who),
        service: who.service(),
    };
    let run = retry_run(&start::ports(s), &s.conductor, wish).await.map_err(refused)?;
    scope::count(runtime::metrics::Counts::run_started);
    Ok(run.id)
}

fn by(who: Caller) -> Trigger {
    Trigger { kind: TriggerKind::Manual, by: Some(who.id()) }
}

fn refused(error: RetryError) -> ApiError {
    match error {
        RetryError::NotFound => ApiError::not_found(),
        RetryError::NotEnded => ApiError::new(Code::RunNotEnded, "Only a run that has ended can be retried."),
        RetryError::NothingFailed => ApiError::new(
            Code::NothingFailed,
            "The run succeeded, so there is nothing to go on from: retry from a node or from the start.",
        ),
        RetryError::NoSuchNode(node) => ApiError::validation(vec![FieldError {
            pointer: "/from/node".to_owned(),
            code: "unknown_node".to_owned(),
            detail: format!("The version has no node {node}."),
            node: None,
            offset: None,
        }]),
        RetryError::Start(error) => start::refused(error),
        RetryError::Failed(AdvanceError::Store(error)) => error.into(),
        RetryError::Failed(error) => ApiError::internal(error),
    }
}
