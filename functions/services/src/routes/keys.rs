//! The keys of services (KEY-02, KEY-03).

use axum::extract::State as Ex;
use domain::ServiceId;
use heddle_http::{ApiError, ApiResult, Caller, Json, Origin, Path, docs};
use http::StatusCode;

use crate::{
    State,
    key::NewKey,
    views::{IssueKey, IssuedKey},
};

/// Issue a service's key, in place of the one it has. It is shown this once; the one before stays good for as long as is asked for.
#[utoipa::path(post, path = "/services/{service_id}/api-key", tag = "services", operation_id = "issue_api_key",
    params(("service_id" = Uuid, Path)), request_body = Option<IssueKey>,
    responses((status = 201, body = IssuedKey), docs::Amending))]
pub(crate) async fn issue(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<ServiceId>,
    body: Option<Json<IssueKey>>,
) -> ApiResult<(StatusCode, Json<IssuedKey>)> {
    let grace = body.unwrap_or_default().0.check().map_err(ApiError::validation)?;
    let key = NewKey::draw(s.entropy.as_ref())?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let grace_ends = grace.map(|grace| act.at + grace);
    let catalog = s.catalog.get().await?;
    let service = catalog.service_replace_key(who.team_id, id, &key.digest(), grace_ends, &act).await?;
    Ok((StatusCode::CREATED, Json(IssuedKey::new(key, &service))))
}
