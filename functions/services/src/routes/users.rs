//! The end users of services (KEY-06 … KEY-09).

use app::ports::Actor;
use axum::extract::State as Ex;
use catalog::Window;
use domain::{ServiceId, ServiceUserId, UserId};
use heddle_http::{ApiError, ApiResult, Caller, Json, Origin, Page, PageQuery, Path, Query, docs};
use http::StatusCode;

use crate::{
    State,
    refusal::refused,
    views::{EndUserView, Resolve},
};

/// List the end users that a service was met with, newest first.
#[utoipa::path(get, path = "/services/{service_id}/users", tag = "end users", operation_id = "list_service_users",
    params(("service_id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<EndUserView>), docs::ListingBelow))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Path(service): Path<ServiceId>,
    Query(q): Query<PageQuery>,
) -> ApiResult<Json<Page<EndUserView>>> {
    let (limit, offset) = (q.limit.get(), q.offset);
    let page =
        s.catalog.get().await?.service_user_list(who.team_id, service, Window { limit, offset }).await?;
    let items = page.items.into_iter().map(|user| EndUserView::new(service, user)).collect();
    Ok(Json(Page { items, total: page.total, limit, offset }))
}

/// Forget an end user. Their segment key means a new one from then on.
#[utoipa::path(delete, path = "/services/{service_id}/users/{service_user_id}", tag = "end users",
    operation_id = "delete_service_user", params(("service_id" = Uuid, Path), ("service_user_id" = Uuid, Path)),
    responses((status = 204, description = "They are forgotten."), docs::Reading))]
pub(crate) async fn delete(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path((service, user)): Path<(ServiceId, ServiceUserId)>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    s.catalog.get().await?.service_user_delete(who.team_id, service, user, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Find the end user that a segment key means, who is made where the key is new.
///
/// A service asks for itself; a member names the service. The order of the properties does not matter.
#[utoipa::path(post, path = "/services/resolve", tag = "end users", operation_id = "resolve_segment_key",
    request_body = Resolve, responses((status = 200, body = EndUserView), docs::Amending))]
pub(crate) async fn resolve(
    Ex(s): Ex<State>,
    who: Caller,
    Json(body): Json<Resolve>,
) -> ApiResult<Json<EndUserView>> {
    let own = match who.actor {
        Actor::Service(own) => Some(own),
        Actor::Member(_) | Actor::System => None,
    };
    let (service, key) = body.check(own).map_err(ApiError::validation)?;
    // For a service there are no other end users than its own.
    if own.is_some_and(|own| own != service) {
        return Err(ApiError::not_found());
    }
    let ids = (ServiceUserId::new(s.ids.next()), UserId::new(s.ids.next()));
    let user = s.catalog.get().await?.service_user_resolve(who.team_id, service, &key, ids).await;
    Ok(Json(EndUserView::new(service, user.map_err(refused)?)))
}
