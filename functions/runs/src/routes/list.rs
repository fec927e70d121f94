//! Listing runs.

use app::ports::{RunFilter, Search, StoreError};
use axum::extract::State as Ex;
use domain::{FieldError, RunStatus, TeamId, Timestamp, TriggerKind, WorkflowId};
use heddle_http::{ApiError, ApiResult, Caller, CommaSeparated, CursorPage, Json, Limit, Query, docs};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    State,
    views::{RunStatusDoc, RunSummaryView, TriggerKindDoc},
};

/// The most characters of a search.
const SEARCH_MAX: usize = 100;

/// So many workflows that have the searched text in their name are looked for.
const MOST_WORKFLOWS: u32 = 50;

/// Which runs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only of this workflow.
    #[param(value_type = Option<Uuid>)]
    workflow_id: Option<WorkflowId>,
    /// Only in one of these statuses, with commas between them.
    #[serde(default)]
    #[param(value_type = Option<Vec<RunStatusDoc>>, style = Form, explode = false, example = "failed,cancelled")]
    status: CommaSeparated<RunStatus>,
    /// Only started by this kind of event.
    #[param(value_type = Option<TriggerKindDoc>)]
    trigger: Option<TriggerKind>,
    /// Only accepted at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only accepted before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Only those whose id begins with this text, whose error has it in its code or in the first 200 characters of its message, or whose
    /// workflow has it in its name (the newest 50 of such workflows). Whatever its case; 1 to 100 characters.
    #[param(min_length = 1, max_length = 100)]
    search: Option<String>,
    /// 1 to 100; 20 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl ListQuery {
    /// What is wrong beyond the form of each parameter.
    fn check(&self) -> Result<(), ApiError> {
        let mut mistakes = Vec::new();
        if self.from.zip(self.to).is_some_and(|(from, to)| from > to) {
            mistakes.push(mistake("to", "It is before `from`."));
        }
        let length = self.search.as_ref().map(|text| text.trim().chars().count());
        if length.is_some_and(|length| !(1..=SEARCH_MAX).contains(&length)) {
            mistakes.push(mistake("search", "It takes 1 to 100 characters."));
        }
        if mistakes.is_empty() { Ok(()) } else { Err(ApiError::validation(mistakes)) }
    }
}

/// List the team's runs, newest first.
///
/// A filter that few runs pass may give a short page, or an empty one, whose cursor goes on.
#[utoipa::path(get, path = "/runs", tag = "runs", operation_id = "list_runs", params(ListQuery),
    responses((status = 200, body = CursorPage<RunSummaryView>), docs::Listing))]
pub(crate) async fn list(
    Ex(s): Ex<State>,
    who: Caller,
    Query(q): Query<ListQuery>,
) -> ApiResult<Json<CursorPage<RunSummaryView>>> {
    q.check()?;
    let search = match &q.search {
        Some(text) => Some(search(&s, who.team_id, text.trim()).await?),
        None => None,
    };
    let ListQuery { workflow_id, trigger, from, to, .. } = q;
    let filter =
        RunFilter { workflow_id, statuses: q.status.0, trigger, from, to, search, ..RunFilter::default() };
    let page =
        s.store.list(who.team_id, &filter, q.cursor.as_deref(), q.limit.get()).await.map_err(refused)?;
    let mut workflows: Vec<_> = page.items.iter().map(|run| run.workflow_id).collect();
    workflows.sort_unstable();
    workflows.dedup();
    let names = s.workflows.names(who.team_id, &workflows).await?;
    let items = page.items.iter().map(|run| RunSummaryView::of(run, names.get(&run.workflow_id).cloned()));
    Ok(Json(CursorPage { items: items.collect(), next_cursor: page.next_cursor }))
}

async fn search(s: &State, team: TeamId, text: &str) -> Result<Search, StoreError> {
    Ok(Search::new(text, s.workflows.named(team, text, MOST_WORKFLOWS).await?))
}

pub(super) fn refused(error: StoreError) -> ApiError {
    match error {
        StoreError::Violates(rule) if rule == "cursor" => {
            ApiError::validation(vec![mistake("cursor", "This is not a cursor that a page gave.")])
        }
        other => other.into(),
    }
}

fn mistake(parameter: &str, detail: &str) -> FieldError {
    FieldError {
        pointer: format!("/query/{parameter}"),
        code: "invalid_parameter".to_owned(),
        detail: detail.to_owned(),
        node: None,
        offset: None,
    }
}
