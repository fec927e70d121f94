//! Starting a run.

use app::{StartError, StartPorts, StartRun, start_run};
use axum::{
    extract::State as Ex,
    response::{IntoResponse, Response},
};
use domain::{FieldError, Trigger, TriggerKind};
use heddle_http::{ApiError, ApiResult, BASE, Caller, Code, IdempotencyKey, Json, Prefer, docs};
use http::{HeaderName, StatusCode, header};
use runtime::scope;

use super::wait;
use crate::{
    State,
    views::{EndedRun, Start, StartedRun, Wish},
};

/// Start a run.
///
/// A service starts the workflows that it is attached to and that say `is_api`; of others it is told what it would be told if they did not
/// exist. With `Idempotency-Key`, a repeat of the same request answers the same run. With `Prefer: wait=N` the answer waits up to N
/// seconds (25 at most) for the run's end, and is 200 with its result if it came in time.
#[utoipa::path(post, path = "/runs", tag = "runs", operation_id = "start_run", request_body = Start,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters; remembered for 24 hours."),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds for the result.", example = "wait=10")),
    responses(
        (status = 200, body = EndedRun, description = "It ended while we waited.",
            headers(("Preference-Applied" = String), ("Location" = String))),
        (status = 202, body = StartedRun, description = "It was accepted.", headers(("Location" = String))),
        docs::Starting))]
pub(crate) async fn start(
    Ex(s): Ex<State>,
    who: Caller,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    prefer: Prefer,
    Json(body): Json<Start>,
) -> ApiResult<Response> {
    let Wish { target, inputs, priority } = body.check().map_err(ApiError::validation)?;
    // Only services need the workflow's leave to be called: who builds it runs it too.
    let service = who.service();
    let kind = if service.is_some() { TriggerKind::Api } else { TriggerKind::Manual };
    let trigger = Trigger { kind, by: Some(who.id()) };
    let wish = StartRun { team_id: who.team_id, target, inputs, trigger, service, priority, idempotency_key };
    let started = start_run(&ports(&s), wish).await.map_err(refused)?;
    scope::set_run(started.run.id);
    if !started.is_repeat {
        scope::count(runtime::metrics::Counts::run_started);
    }
    let location = [(header::LOCATION, format!("{BASE}/runs/{}", started.run.id))];
    let Some(patience) = prefer.wait else {
        return Ok((StatusCode::ACCEPTED, location, Json(StartedRun::of(&started.run))).into_response());
    };
    let run = wait::for_end(&s, started.run, patience).await?;
    if !run.status.is_terminal() {
        return Ok((StatusCode::ACCEPTED, location, Json(StartedRun::of(&run))).into_response());
    }
    let loaded = s.store.load(who.team_id, run.id).await?;
    let applied = [(HeaderName::from_static("preference-applied"), format!("wait={}", patience.as_secs()))];
    Ok((StatusCode::OK, location, applied, Json(EndedRun::of(&loaded))).into_response())
}

pub(super) fn ports(s: &State) -> StartPorts<'_> {
    StartPorts {
        store: s.store.as_ref(),
        queue: s.queue.as_ref(),
        catalog: s.catalog.as_ref(),
        limits: s.limits.as_ref(),
        clock: s.clock.as_ref(),
        ids: s.ids.as_ref(),
    }
}

pub(super) fn refused(error: StartError) -> ApiError {
    match error {
        StartError::NotFound => ApiError::not_found(),
        StartError::NotPublished => {
            ApiError::new(Code::NotPublished, "Publish the workflow before starting it.")
        }
        StartError::Archived => {
            ApiError::new(Code::WorkflowArchived, "An archived workflow starts no more runs.")
        }
        StartError::NotCallable => ApiError::forbidden(),
        StartError::KeyReused => ApiError::new(
            Code::IdempotencyKeyReused,
            "This Idempotency-Key stands for another start. Use a new key.",
        ),
        StartError::InvalidInputs(violations) => ApiError::validation(
            violations
                .into_iter()
                .map(|violation| FieldError {
                    pointer: format!("/inputs{}", violation.pointer),
                    code: violation.code,
                    detail: violation.message,
                    node: None,
                    offset: None,
                })
                .collect(),
        ),
        StartError::Store(error) => error.into(),
    }
}
