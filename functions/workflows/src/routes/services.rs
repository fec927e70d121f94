//! Which services see a workflow (WF-01, TRG-01): those alone start it by their key.

use axum::extract::State as Ex;
use domain::{ServiceId, WorkflowId};
use heddle_http::{ApiResult, Caller, Json, Origin, Page, PageQuery, Path, Query, docs};
use http::StatusCode;

use crate::{State, views::SeeingService};

/// List the services that see a workflow, by name and environment.
#[utoipa::path(get, path = "/workflows/{workflow_id}/services", tag = "workflows", operation_id = "list_workflow_services",
    params(("workflow_id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<SeeingService>), docs::ListingBelow))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<WorkflowId>,
    Query(q): Query<PageQuery>,
) -> ApiResult<Json<Page<SeeingService>>> {
    let services = s.catalog.get().await?.workflow_services(who.team_id, id).await?;
    Ok(Json(q.page_of(services.into_iter().map(SeeingService::from).collect())))
}

/// Let a service see a workflow.
///
/// Once, however often it is said.
#[utoipa::path(put, path = "/workflows/{workflow_id}/services/{service_id}", tag = "workflows",
    operation_id = "attach_workflow_service", params(("workflow_id" = Uuid, Path), ("service_id" = Uuid, Path)),
    responses((status = 204, description = "It is attached."), docs::Reading))]
pub(crate) async fn attach(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((workflow, service)): Path<(WorkflowId, ServiceId)>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let catalog = s.catalog.get().await?;
    catalog.workflow_attach_service(who.team_id, workflow, service, s.ids.next(), &act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a service from a workflow.
#[utoipa::path(delete, path = "/workflows/{workflow_id}/services/{service_id}", tag = "workflows",
    operation_id = "detach_workflow_service", params(("workflow_id" = Uuid, Path), ("service_id" = Uuid, Path)),
    responses((status = 204, description = "It is no longer attached."), docs::Reading))]
pub(crate) async fn detach(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((workflow, service)): Path<(WorkflowId, ServiceId)>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    s.catalog.get().await?.workflow_detach_service(who.team_id, workflow, service, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}
