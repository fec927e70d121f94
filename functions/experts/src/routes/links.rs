//! What experts are attached to.

use axum::extract::State as Ex;
use domain::{ExpertId, ServiceId, WorkflowId};
use heddle_http::{ApiResult, Caller, Origin, Path, docs};
use http::StatusCode;

use crate::State;

/// Attach a workflow to an expert.
///
/// Once, however often it is said.
#[utoipa::path(put, path = "/experts/{expert_id}/workflows/{workflow_id}", tag = "experts", operation_id = "attach_expert_workflow",
    params(("expert_id" = Uuid, Path), ("workflow_id" = Uuid, Path)),
    responses((status = 204, description = "It is attached."), docs::Reading))]
pub(crate) async fn attach_workflow(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((expert, workflow)): Path<(ExpertId, WorkflowId)>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let catalog = s.catalog.get().await?;
    catalog.expert_attach_workflow(who.team_id, expert, workflow, s.ids.next(), &act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a workflow from an expert.
#[utoipa::path(delete, path = "/experts/{expert_id}/workflows/{workflow_id}", tag = "experts", operation_id = "detach_expert_workflow",
    params(("expert_id" = Uuid, Path), ("workflow_id" = Uuid, Path)),
    responses((status = 204, description = "It is no longer attached."), docs::Reading))]
pub(crate) async fn detach_workflow(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((expert, workflow)): Path<(ExpertId, WorkflowId)>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    s.catalog.get().await?.expert_detach_workflow(who.team_id, expert, workflow, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a service use an expert.
///
/// Once, however often it is said.
#[utoipa::path(put, path = "/experts/{expert_id}/services/{service_id}", tag = "experts", operation_id = "attach_expert_service",
    params(("expert_id" = Uuid, Path), ("service_id" = Uuid, Path)),
    responses((status = 204, description = "It is attached."), docs::Reading))]
pub(crate) async fn attach_service(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((expert, service)): Path<(ExpertId, ServiceId)>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let catalog = s.catalog.get().await?;
    catalog.expert_attach_service(who.team_id, expert, service, s.ids.next(), &act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a service from an expert.
#[utoipa::path(delete, path = "/experts/{expert_id}/services/{service_id}", tag = "experts", operation_id = "detach_expert_service",
    params(("expert_id" = Uuid, Path), ("service_id" = Uuid, Path)),
    responses((status = 204, description = "It is no longer attached."), docs::Reading))]
pub(crate) async fn detach_service(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((expert, service)): Path<(ExpertId, ServiceId)>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    s.catalog.get().await?.expert_detach_service(who.team_id, expert, service, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}
