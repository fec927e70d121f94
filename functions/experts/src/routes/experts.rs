//! Experts themselves: create, list, read, change, delete.

use app::ports::StoreError;
use axum::{extract::State as Ex, response::IntoResponse};
use catalog::{Catalog, ExpertCounts, ExpertFilter, ExpertUser, Window};
use domain::{ExpertId, ExpertStatus, FieldError, TeamId};
use heddle_http::{
    ApiError, ApiResult, BASE, Caller, Code, IfMatch, Json, Limit, Origin, Page, Path, Query, docs, etag,
};
use http::{StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    State,
    views::{CreateExpert, ExpertStatusDoc, ExpertSummary, ExpertView, Settings, UpdateExpert, sub_mistakes},
};

/// Create an expert.
///
/// It begins as a draft, or in use where its status says so.
#[utoipa::path(post, path = "/experts", tag = "experts", operation_id = "create_expert",
    request_body = CreateExpert, responses((status = 201, body = ExpertView, headers(
        ("Location" = String, description = "The expert's path."), ("ETag" = String, description = "Its revision."))),
        docs::Creating))]
pub(crate) async fn create(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Json(body): Json<CreateExpert>,
) -> ApiResult<impl IntoResponse> {
    let (catalog, id) = (s.catalog.get().await?, ExpertId::new(s.ids.next()));
    let subs = check_subs(catalog, who.team_id, id, Some(&body.settings)).await?;
    let new = all_mistakes(body.check(id), subs)?;
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let expert = catalog.expert_insert(who.team_id, &new, &act).await?;
    let location = [(header::LOCATION, format!("{BASE}/experts/{}", expert.id))];
    let revision = etag(expert.revision);
    Ok((StatusCode::CREATED, location, revision, Json(ExpertView::new(expert, ExpertCounts::default()))))
}

/// Which experts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only in this status. Earlier states of experts are listed where it is `historical`.
    #[param(value_type = Option<ExpertStatusDoc>)]
    status: Option<ExpertStatus>,
    /// Only with this text in their name, whatever its case.
    search: Option<String>,
    /// 1 to 100; 20 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// How many to skip.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    offset: u32,
}

/// List the team's experts, newest first, with how many workflows and services each is attached to.
#[utoipa::path(get, path = "/experts", tag = "experts", operation_id = "list_experts", params(ListQuery),
    responses((status = 200, body = Page<ExpertSummary>), docs::Listing))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<ListQuery>,
) -> ApiResult<Json<Page<ExpertSummary>>> {
    let (limit, offset) = (q.limit.get(), q.offset);
    let (catalog, filter) = (s.catalog.get().await?, ExpertFilter { status: q.status, search: q.search });
    let page = catalog.expert_list(who.team_id, &filter, Window { limit, offset }).await?;
    let ids: Vec<ExpertId> = page.items.iter().map(|expert| expert.id).collect();
    let counts = catalog.expert_counts(who.team_id, &ids).await?;
    let count = |id: ExpertId| counts.get(&id).copied().unwrap_or_default();
    let items = page.items.into_iter().map(|expert| ExpertSummary::new(count(expert.id), expert)).collect();
    Ok(Json(Page { items, total: page.total, limit, offset }))
}

/// Read an expert.
#[utoipa::path(get, path = "/experts/{expert_id}", tag = "experts", operation_id = "get_expert",
    params(("expert_id" = Uuid, Path)),
    responses((status = 200, body = ExpertView, headers(("ETag" = String, description = "Its revision."))), docs::Reading))]
pub(crate) async fn detail(
    Ex(s): Ex<State>,
    who: Caller,
    Path(id): Path<ExpertId>,
) -> ApiResult<impl IntoResponse> {
    let catalog = s.catalog.get().await?;
    let expert = catalog.expert_get(who.team_id, id).await?;
    let counts = catalog.expert_counts(who.team_id, &[id]).await?;
    let view = ExpertView::new(expert, counts.get(&id).copied().unwrap_or_default());
    Ok((etag(view.revision()), Json(view)))
}

/// Change an expert.
///
/// Absent fields stay as they are; `settings` are replaced as a whole. The status moves on from draft to active to archive. An edit of
/// what an active expert says leaves its earlier state in its history.
#[utoipa::path(patch, path = "/experts/{expert_id}", tag = "experts", operation_id = "update_expert",
    params(("expert_id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    request_body = UpdateExpert,
    responses((status = 200, body = ExpertView, headers(("ETag" = String, description = "Its new revision."))), docs::Changing))]
pub(crate) async fn update(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<ExpertId>,
    IfMatch(revision): IfMatch,
    Json(body): Json<UpdateExpert>,
) -> ApiResult<impl IntoResponse> {
    let catalog = s.catalog.get().await?;
    let present = catalog.expert_get(who.team_id, id).await?;
    if revision.is_some_and(|revision| revision != present.revision) {
        return Err(IfMatch::stale());
    }
    let subs = check_subs(catalog, who.team_id, id, body.settings()).await?;
    let patch = all_mistakes(body.check(present.status), subs)?;
    // What was checked is what is changed: the status may not move from another one meanwhile.
    let (present, earlier) = (Some(present.revision), ExpertId::new(s.ids.next()));
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let updated = catalog.expert_update(who.team_id, id, &patch, present, earlier, &act).await;
    let expert = updated.map_err(|error| stale_if(revision, error))?;
    let counts = catalog.expert_counts(who.team_id, &[id]).await?;
    let view = ExpertView::new(expert, counts.get(&id).copied().unwrap_or_default());
    Ok((etag(view.revision()), Json(view)))
}

/// Delete an expert with its history.
///
/// Refused while the published version of a workflow names it, or another expert has it as a sub-expert.
#[utoipa::path(delete, path = "/experts/{expert_id}", tag = "experts", operation_id = "delete_expert",
    params(("expert_id" = Uuid, Path)), responses((status = 204, description = "It is gone."), docs::Deleting))]
pub(crate) async fn delete(
    Ex(s): Ex<State>,
    who: Caller,
    origin: Origin,
    Path(id): Path<ExpertId>,
) -> ApiResult<StatusCode> {
    let act = who.act(origin, s.ids.as_ref(), s.clock.as_ref());
    let users = s.catalog.get().await?.expert_delete(who.team_id, id, &act).await?;
    if users.is_empty() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let errors = users.into_iter().map(used_by).collect();
    Err(ApiError::new(Code::InUse, "Published workflows or other experts use this expert.")
        .with_errors(errors))
}

fn used_by(user: ExpertUser) -> FieldError {
    let (code, detail) = match user {
        ExpertUser::Workflow(id, name) => {
            ("used_by_workflow", format!("The published version of the workflow {name} ({id}) names it."))
        }
        ExpertUser::Expert(id, name) => {
            ("used_by_expert", format!("The expert {name} ({id}) has it as a sub-expert."))
        }
    };
    FieldError::new("", code, &detail)
}

/// What is wrong with the sub-experts in `settings`, as far as the catalog knows.
async fn check_subs(
    catalog: &Catalog,
    team: TeamId,
    id: ExpertId,
    settings: Option<&Settings>,
) -> Result<Vec<FieldError>, StoreError> {
    let subs = settings.map(Settings::sub_experts).unwrap_or_default();
    Ok(sub_mistakes(subs, &catalog.expert_wrong_subs(team, id, subs).await?))
}

/// What was meant, or one 422 with every mistake.
fn all_mistakes<T>(checked: Result<T, Vec<FieldError>>, more: Vec<FieldError>) -> Result<T, ApiError> {
    match checked {
        Ok(meant) if more.is_empty() => Ok(meant),
        checked => {
            let mistakes = checked.err().into_iter().flatten().chain(more).collect();
            Err(ApiError::validation(mistakes))
        }
    }
}

/// A conflict is the client's stale tag where it sent one.
fn stale_if(revision: Option<i64>, error: StoreError) -> ApiError {
    match error {
        StoreError::Conflict if revision.is_some() => IfMatch::stale(),
        other => other.into(),
    }
}
