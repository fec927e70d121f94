//! Credentials: which there are, and new values for them.

use axum::{extract::State as Ex, response::IntoResponse};
use domain::{FieldError, WorkflowId};
use heddle_http::{
    ApiError, ApiResult, BASE, Caller, Code, Json, Origin, Page, PageQuery, Path, Query, docs,
};
use http::{StatusCode, header};

use crate::{
    State,
    views::{PutSecret, SecretKept, SecretView, check_name, summaries},
};

/// List the team's secrets by name, without what is in them.
#[utoipa::path(get, path = "/secrets", tag = "secrets", operation_id = "list_secrets", params(PageQuery),
    responses((status = 200, body = Page<SecretView>), docs::Listing))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<PageQuery>,
) -> ApiResult<Json<Page<SecretView>>> {
    Ok(Json(q.page_of(summaries(s.keeper.list(who.team_id).await?))))
}

/// Put a value, as the next version of the secret or as its first one.
///
/// Calls use it within seconds. The value is never answered, by this or by any other route.
#[utoipa::path(put, path = "/secrets/{name}", tag = "secrets", operation_id = "put_secret",
    params(("name" = String, Path, description = "A letter, then at most 63 letters, digits and underscores.")),
    request_body = PutSecret,
    responses(
        (status = 200, body = SecretKept, description = "The next version of a secret that was there."),
        (status = 201, body = SecretKept, description = "The first version.", headers(("Location" = String, description = "The secret's path."))),
        docs::Rotating))]
pub(crate) async fn put(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(name): Path<String>,
    body: Result<Json<PutSecret>, ApiError>,
) -> ApiResult<impl IntoResponse> {
    let value = match body {
        Ok(Json(body)) => body.check(),
        Err(refused) if refused.code() == Code::Validation => Err(refused.errors().to_vec()),
        Err(refused) => return Err(refused),
    };
    let mistakes = check_name(&name).into_iter();
    let value = match value {
        Ok(value) if mistakes.len() == 0 => value,
        value => {
            return Err(ApiError::validation(mistakes.chain(value.err().into_iter().flatten()).collect()));
        }
    };
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let kept = s.keeper.put(who.team_id, &name, &value, &act).await?;
    let is_first = kept.version == 1;
    let answer = Json(SecretKept::new(name, kept));
    Ok(if is_first {
        let location = [(header::LOCATION, format!("{BASE}/secrets/{}", answer.0.name()))];
        (StatusCode::CREATED, location, answer).into_response()
    } else {
        answer.into_response()
    })
}

/// Put a new value in the place of the one in use.
///
/// As putting, of a secret that exists. The versions before stay until the secret is deleted; no call uses them.
#[utoipa::path(post, path = "/secrets/{name}/rotate", tag = "secrets", operation_id = "rotate_secret",
    params(("name" = String, Path, description = "The secret's name.")), request_body = PutSecret,
    responses((status = 200, body = SecretKept), docs::Rotating))]
pub(crate) async fn rotate(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(name): Path<String>,
    Json(body): Json<PutSecret>,
) -> ApiResult<Json<SecretKept>> {
    let value = body.check().map_err(ApiError::validation)?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let kept = s.keeper.rotate(who.team_id, &name, &value, &act).await?;
    Ok(Json(SecretKept::new(name, kept)))
}

/// Delete a secret with all its versions.
///
/// Refused while the published version of a workflow names it.
#[utoipa::path(delete, path = "/secrets/{name}", tag = "secrets", operation_id = "delete_secret",
    params(("name" = String, Path, description = "The secret's name.")),
    responses((status = 204, description = "It is gone."), docs::Deleting))]
pub(crate) async fn delete(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(name): Path<String>,
) -> ApiResult<StatusCode> {
    let users = s.keeper.users(who.team_id, &name).await?;
    if !users.is_empty() {
        let errors = users.into_iter().map(used_by).collect();
        return Err(ApiError::new(Code::InUse, "Published workflows use this secret.").with_errors(errors));
    }
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    s.keeper.delete(who.team_id, &name, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn used_by((id, name): (WorkflowId, String)) -> FieldError {
    let detail = format!("The published version of the workflow {name} ({id}) names it.");
    FieldError {
        pointer: String::new(),
        code: "used_by_workflow".to_owned(),
        detail,
        node: None,
        offset: None,
    }
}
