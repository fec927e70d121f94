//! Dead letters (RUN-14).

use std::collections::{BTreeSet, HashMap};

use app::ports::StoreError;
use axum::extract::State as Ex;
use domain::{RunId, RunStatus, TeamId};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use heddle_http::{ApiError, ApiResult, Caller, Json, Limit, Query, docs};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    State,
    views::{DeadLetterList, DeadLetterView, RedriveWish, Redriven},
};

/// Runs that are looked up at once.
const AT_ONCE: usize = 8;

/// How many letters to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLettersQuery {
    /// 1 to 100; 20 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
}

/// List the team's messages that were received too often, newest first.
///
/// On AWS a look takes the letters out of everybody's sight for a moment: of two looks at the same time, each may see a part only.
#[utoipa::path(get, path = "/dead-letters", tag = "runs", operation_id = "list_dead_letters", params(DeadLettersQuery),
    responses((status = 200, body = DeadLetterList), docs::Listing))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<DeadLettersQuery>,
) -> ApiResult<Json<DeadLetterList>> {
    let page = s.dead_letters.list(who.team_id, q.limit.get()).await?;
    let runs = page.items.iter().map(|letter| letter.run_id).collect();
    let statuses = statuses_of(&s, who.team_id, runs).await?;
    let items = page.items.into_iter().map(|letter| {
        let status = statuses.get(&letter.run_id).copied();
        DeadLetterView::of(letter, status)
    });
    Ok(Json(DeadLetterList { items: items.collect(), is_complete: page.is_complete }))
}

/// Where these runs stand; those that are kept no more are left out.
async fn statuses_of(
    s: &State,
    team: TeamId,
    runs: BTreeSet<RunId>,
) -> Result<HashMap<RunId, RunStatus>, StoreError> {
    let looks = stream::iter(runs).map(|run| async move {
        match s.store.load_control(team, run).await {
            Ok(control) => Ok(Some((run, control.status))),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    });
    let found: Vec<_> = looks.buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Send dead letters to the workers again.
///
/// Ids that are not among the team's dead letters are answered as not found. A run that has ended, or has gone on by itself, takes no harm.
#[utoipa::path(post, path = "/dead-letters/redrive", tag = "runs", operation_id = "redrive_dead_letters",
    request_body = RedriveWish, responses((status = 200, body = Redriven), docs::Commanding))]
pub(crate) async fn redrive(
    Ex(s): Ex<State>,
    who: Caller,
    Json(body): Json<RedriveWish>,
) -> ApiResult<Json<Redriven>> {
    let which = body.check().map_err(ApiError::validation)?;
    let redriven = s.dead_letters.redrive(who.team_id, &which).await?;
    Ok(Json(Redriven::of(which, redriven)))
}
