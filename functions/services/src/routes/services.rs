//! Services themselves (KEY-01, KEY-09, KEY-13).

use axum::{extract::State as Ex, response::IntoResponse};
use catalog::{Catalog, Service, ServiceCounts, Window};
use domain::{ServiceId, TeamId};
use heddle_http::{ApiError, ApiResult, BASE, Caller, Json, Origin, Page, PageQuery, Path, Query, docs};
use http::{StatusCode, header};

use crate::{
    State,
    refusal::refused,
    views::{CreateService, ServiceView, UpdateService},
};

/// Create a service. It has no key yet.
#[utoipa::path(post, path = "/services", tag = "services", operation_id = "create_service", request_body = CreateService,
    responses((status = 201, body = ServiceView, headers(("Location" = String, description = "The service's path."))),
        docs::Naming))]
pub(crate) async fn create(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Json(body): Json<CreateService>,
) -> ApiResult<impl IntoResponse> {
    let new = body.check(ServiceId::new(s.ids.next())).map_err(ApiError::validation)?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let service = s.catalog.get().await?.service_insert(who.team_id, &new, &act).await.map_err(refused)?;
    let location = [(header::LOCATION, format!("{BASE}/services/{}", service.id))];
    let view = ServiceView::new(service, ServiceCounts::default());
    Ok((StatusCode::CREATED, location, Json(view)))
}

/// List the team's services, newest first, with how much each has to do with.
#[utoipa::path(get, path = "/services", tag = "services", operation_id = "list_services", params(PageQuery),
    responses((status = 200, body = Page<ServiceView>), docs::Listing))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<PageQuery>,
) -> ApiResult<Json<Page<ServiceView>>> {
    let (limit, offset) = (q.limit.get(), q.offset);
    let catalog = s.catalog.get().await?;
    let page = catalog.service_list(who.team_id, Window { limit, offset }).await?;
    let ids: Vec<ServiceId> = page.items.iter().map(|service| service.id).collect();
    let counts = catalog.service_counts(who.team_id, &ids).await?;
    let view = |service: Service| {
        let counts = counts.get(&service.id).copied().unwrap_or_default();
        ServiceView::new(service, counts)
    };
    Ok(Json(Page { items: page.items.into_iter().map(view).collect(), total: page.total, limit, offset }))
}

/// Read a service.
#[utoipa::path(get, path = "/services/{service_id}", tag = "services", operation_id = "get_service",
    params(("service_id" = Uuid, Path)), responses((status = 200, body = ServiceView), docs::Reading))]
pub(crate) async fn detail(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<ServiceId>,
) -> ApiResult<Json<ServiceView>> {
    let catalog = s.catalog.get().await?;
    let service = catalog.service_get(who.team_id, id).await?;
    Ok(Json(counted(catalog, who.team_id, service).await?))
}

/// Give a service another name. Its environment is what it was made for.
#[utoipa::path(patch, path = "/services/{service_id}", tag = "services", operation_id = "update_service",
    params(("service_id" = Uuid, Path)), request_body = UpdateService,
    responses((status = 200, body = ServiceView), docs::Naming))]
pub(crate) async fn update(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<ServiceId>,
    Json(body): Json<UpdateService>,
) -> ApiResult<Json<ServiceView>> {
    let name = body.check().map_err(ApiError::validation)?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let catalog = s.catalog.get().await?;
    let service = catalog.service_rename(who.team_id, id, &name, &act).await.map_err(refused)?;
    Ok(Json(counted(catalog, who.team_id, service).await?))
}

/// Delete a service with its segments and end users. Its keys are void at once.
#[utoipa::path(delete, path = "/services/{service_id}", tag = "services", operation_id = "delete_service",
    params(("service_id" = Uuid, Path)), responses((status = 204, description = "It is gone."), docs::Reading))]
pub(crate) async fn delete(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<ServiceId>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    s.catalog.get().await?.service_delete(who.team_id, id, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn counted(catalog: &Catalog, team: TeamId, service: Service) -> ApiResult<ServiceView> {
    let counts = catalog.service_counts(team, &[service.id]).await?.remove(&service.id);
    Ok(ServiceView::new(service, counts.unwrap_or_default()))
}
