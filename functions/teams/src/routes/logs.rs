//! What was done in a team: for people, and as proof (TEN-10, TEN-11).

use axum::extract::State as Ex;
use catalog::ActivityFilter;
use domain::Permission;
use heddle_http::{ApiResult, Caller, CursorPage, Json, Limit, Query, docs};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    State,
    views::{ActivityView, AuditedView, VerifiedView},
};

/// Which activity to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActivityQuery {
    /// Only of this member or service.
    actor_id: Option<Uuid>,
    /// Only about this.
    resource_id: Option<Uuid>,
    /// 1 to 100; 20 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Uuid>,
}

/// Read what was done in the team, newest first. From where is told to those who may read the audit log.
#[utoipa::path(get, path = "/activity", tag = "activity", operation_id = "list_activity", params(ActivityQuery),
    responses((status = 200, body = CursorPage<ActivityView>), docs::Listing))]
pub(crate) async fn activity(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<ActivityQuery>,
) -> ApiResult<Json<CursorPage<ActivityView>>> {
    let filter = ActivityFilter { actor_id: q.actor_id, resource_id: q.resource_id };
    let limit = q.limit.get();
    let mut found = s.catalog.get().await?.activity_list(who.team_id, filter, q.cursor, limit + 1).await?;
    let has_more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next_cursor = found.last().filter(|_| has_more).map(|last| last.id.to_string());
    let tells_where = who.permissions.contains(Permission::AuditView);
    let items = found.into_iter().map(|activity| ActivityView::new(activity, tells_where)).collect();
    Ok(Json(CursorPage { items, next_cursor }))
}

/// Which part of the audit log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// 1 to 100; 20 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<u64>,
}

/// Read the audit log, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", operation_id = "list_audit", params(AuditQuery),
    responses((status = 200, body = CursorPage<AuditedView>), docs::Listing))]
pub(crate) async fn audit(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<AuditQuery>,
) -> ApiResult<Json<CursorPage<AuditedView>>> {
    let limit = q.limit.get();
    let mut found = s.catalog.get().await?.audit_list(who.team_id, q.cursor, limit + 1).await?;
    let has_more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next_cursor = found.last().filter(|_| has_more).map(|last| last.number.to_string());
    Ok(Json(CursorPage { items: found.into_iter().map(AuditedView::from).collect(), next_cursor }))
}

/// Compute the whole audit log's hashes again, and see whether an entry was changed, taken out or turned around.
#[utoipa::path(get, path = "/audit/verify", tag = "audit", operation_id = "verify_audit",
    responses((status = 200, body = VerifiedView), docs::ReadingOneself))]
pub(crate) async fn verify(Ex(s): Ex<State>, who: Caller) -> ApiResult<Json<VerifiedView>> {
    Ok(Json(s.catalog.get().await?.audit_verify(who.team_id).await?.into()))
}
