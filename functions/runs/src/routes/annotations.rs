//! Remarks on runs (RUN-18).

use app::ports::{Annotation, StoreError};
use axum::{extract::State as Ex, response::IntoResponse};
use chrono::SubsecRound as _;
use domain::{AnnotationId, RunId};
use heddle_http::{ApiError, ApiResult, Caller, CursorPage, Json, Limit, Path, Query, docs};
use http::StatusCode;
use runtime::scope;
use serde::Deserialize;
use utoipa::IntoParams;

use super::version_of;
use crate::{
    State,
    views::{AnnotationView, NewAnnotation},
};

/// Remark something on a run, for people who look at it later.
#[utoipa::path(post, path = "/runs/{run_id}/annotations", tag = "runs", operation_id = "annotate_run",
    params(("run_id" = Uuid, Path)), request_body = NewAnnotation,
    responses((status = 201, body = AnnotationView), docs::Judging))]
pub(crate) async fn annotate(
    Ex(s): Ex<State>,
    who: Caller,
    Path(run_id): Path<RunId>,
    Json(body): Json<NewAnnotation>,
) -> ApiResult<impl IntoResponse> {
    let run = s.store.load_control(who.team_id, run_id).await?;
    scope::set_run(run_id);
    let version = version_of(&s, &run).await?;
    let (text, node) = body.check(&version.graph).map_err(ApiError::validation)?;
    // As exactly as it is stored, so that the answer is what is read later.
    let (id, created_on) = (AnnotationId::new(s.ids.next()), s.clock.now().trunc_subsecs(6));
    let annotation = Annotation { id, run_id, node, text, author: who.actor, created_on };
    s.annotations.annotate(who.team_id, &annotation).await?;
    Ok((StatusCode::CREATED, Json(AnnotationView::from(annotation))))
}

/// Which remarks to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AnnotationsQuery {
    /// 1 to 100; 20 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<AnnotationId>,
}

/// Read what was remarked on a run, newest first.
#[utoipa::path(get, path = "/runs/{run_id}/annotations", tag = "runs", operation_id = "list_run_annotations",
    params(("run_id" = Uuid, Path), AnnotationsQuery),
    responses((status = 200, body = CursorPage<AnnotationView>), docs::ListingBelow))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Path(run_id): Path<RunId>,
    Query(q): Query<AnnotationsQuery>,
) -> ApiResult<Json<CursorPage<AnnotationView>>> {
    s.store.load_control(who.team_id, run_id).await?;
    scope::set_run(run_id);
    let limit = q.limit.get();
    let mut found = s.annotations.annotations(who.team_id, run_id, q.cursor, limit + 1).await?;
    let has_more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next_cursor = found.last().filter(|_| has_more).map(|last| last.id.to_string());
    Ok(Json(CursorPage { items: found.into_iter().map(AnnotationView::from).collect(), next_cursor }))
}

/// What a run's detail shows.
pub(super) async fn latest(s: &State, who: Caller, run: RunId) -> Result<Vec<AnnotationView>, StoreError> {
    let found = s.annotations.annotations(who.team_id, run, None, SHOWN).await?;
    Ok(found.into_iter().map(AnnotationView::from).collect())
}

/// So many remarks stand in a run's detail; the others are listed apart.
const SHOWN: u32 = 20;
