//! Lists of runs, from the indexes.

use app::{
    ports::{RunFilter, RunPage, StoreError},
    position::RunPosition,
};
use domain::{RunId, TeamId, Timestamp};
use futures::future::try_join_all;

use crate::{
    DynamoRunStore,
    error::{failed, malformed, unavailable},
    items::{Item, summary_of, text, text_of},
    keys::{self, PK},
    question::{Question, WIDE},
};

const DOING: &str = "list runs";
const CHECKING: &str = "list overdue runs";

/// Requests that one page may cost. A filter that matches almost nothing then gives a short page whose cursor goes on.
pub(crate) const MOST_REQUESTS: usize = 20;

impl DynamoRunStore {
    /// A page of the team's runs. The partition is always the caller's team, so no cursor leads out of it.
    pub(crate) async fn list_runs(
        &self,
        team: TeamId,
        filter: &RunFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<RunPage, StoreError> {
        let before = cursor.map(RunPosition::from_cursor).transpose()?;
        let Some(query) = Question::of(team, filter, before.as_ref()) else {
            return Ok(RunPage { items: Vec::new(), next_cursor: None });
        };
        let query = query.asked_of(self.client.query().table_name(&self.table), limit);
        let mut items = Vec::new();
        let mut start: Option<Item> = None;
        for _ in 0..MOST_REQUESTS {
            let page = query.clone().set_exclusive_start_key(start).send().await.map_err(failed(DOING))?;
            for item in page.items.unwrap_or_default() {
                items.push(summary_of(&item)?);
            }
            // The range of a question with `from` ends with the cursor itself.
            items.retain(|run| before.as_ref() != Some(&RunPosition::of_summary(run)));
            start = page.last_evaluated_key;
            if items.len() > limit as usize || start.is_none() {
                break;
            }
        }
        let reached = start.as_ref().map(|key| text_of(key, "created_sk")).transpose()?;
        Ok(RunPage::cut(items, limit, reached.and_then(RunPosition::parse)))
    }

    /// Open runs whose check has passed, from every shard of `by_check`: one request each.
    pub(crate) async fn overdue_runs(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TeamId, RunId)>, StoreError> {
        let shards =
            try_join_all(keys::check_shards().map(|shard| self.overdue_in(shard, now, limit))).await?;
        let mut overdue = shards.concat();
        overdue.sort();
        Ok(overdue.into_iter().map(|(_, team, run)| (team, run)).take(limit as usize).collect())
    }

    async fn overdue_in(
        &self,
        shard: String,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(String, TeamId, RunId)>, StoreError> {
        let query = self.client.query().table_name(&self.table).index_name("by_check");
        let query = query
            .key_condition_expression("check_pk = :shard AND check_at <= :now")
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":now", text(keys::check_at(now)))
            .limit(i32::try_from(limit).unwrap_or(WIDE));
        let found = query.send().await.map_err(failed(CHECKING))?.items.unwrap_or_default();
        found.iter().map(checked).collect()
    }
}

/// The check, the team and the run of an item of `by_check`.
fn checked(item: &Item) -> Result<(String, TeamId, RunId), StoreError> {
    let team = text_of(item, "team_id")?.parse().map_err(unavailable(CHECKING))?;
    let run = keys::run_of(text_of(item, PK)?).ok_or_else(|| malformed(CHECKING, PK))?;
    Ok((text_of(item, "check_at")?.to_owned(), team, run))
}
