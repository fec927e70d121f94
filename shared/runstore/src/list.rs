//! Lists of runs, from the indexes.

use std::collections::HashMap;

use app::{
    ports::{RunFilter, RunPage, RunSummary, StoreError},
    position::RunPosition,
};
use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use domain::{RunId, TeamId, Timestamp};
use futures::future::try_join_all;

use crate::{
    DynamoRunStore,
    error::{failed, malformed, unavailable},
    items::{Item, summary_of, text, text_of},
    keys::{self, PK},
};

const DOING: &str = "list runs";
const CHECKING: &str = "list overdue runs";

/// Runs that one request looks through when few of them may match.
pub(crate) const WIDE: i32 = 250;

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
        let limit = limit as usize;
        let mut items = Vec::new();
        let mut start: Option<Item> = None;
        for _ in 0..MOST_REQUESTS {
            let query = self.page_query(team, filter, before.as_ref(), limit);
            let page = query.set_exclusive_start_key(start).send().await.map_err(failed(DOING))?;
            for item in page.items.unwrap_or_default() {
                items.push(summary_of(&item)?);
            }
            start = page.last_evaluated_key;
            if items.len() > limit || start.is_none() {
                break;
            }
        }
        page_of(items, limit, start.as_ref())
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

    fn page_query(
        &self,
        team: TeamId,
        filter: &RunFilter,
        before: Option<&RunPosition>,
        limit: usize,
    ) -> QueryFluentBuilder {
        let (index, partition, value) = match filter.workflow_id {
            Some(workflow) => ("by_workflow", "workflow_pk", keys::workflow_pk(team, workflow)),
            None => ("by_team", "team_pk", team.to_string()),
        };
        let mut values = HashMap::from([(":in".to_owned(), text(value))]);
        let mut condition = format!("{partition} = :in");
        if let Some(before) = before {
            condition += " AND created_sk < :before";
            values.insert(":before".to_owned(), text(before.as_str()));
        }
        let query = self.client.query().table_name(&self.table).index_name(index).scan_index_forward(false);
        let one_more = i32::try_from(limit + 1).unwrap_or(WIDE);
        let query = match filter.status {
            None => query.limit(one_more),
            Some(status) => {
                values.insert(":status".to_owned(), AttributeValue::S(status.as_str().to_owned()));
                query
                    .limit(one_more.max(WIDE))
                    .filter_expression("summary.#status = :status")
                    .expression_attribute_names("#status", "status")
            }
        };
        query.key_condition_expression(condition).set_expression_attribute_values(Some(values))
    }
}

/// The check, the team and the run of an item of `by_check`.
fn checked(item: &Item) -> Result<(String, TeamId, RunId), StoreError> {
    let team = text_of(item, "team_id")?.parse().map_err(unavailable(CHECKING))?;
    let run = keys::run_of(text_of(item, PK)?).ok_or_else(|| malformed(CHECKING, PK))?;
    Ok((text_of(item, "check_at")?.to_owned(), team, run))
}

/// At most `limit` runs, with the place of the last one; where the search stopped before it found as many, the place it reached.
fn page_of(mut items: Vec<RunSummary>, limit: usize, reached: Option<&Item>) -> Result<RunPage, StoreError> {
    let has_more = items.len() > limit;
    items.truncate(limit);
    let next = match (has_more, reached) {
        (true, _) => items.last().map(RunPosition::of_summary),
        (false, Some(key)) => RunPosition::parse(text_of(key, "created_sk")?),
        (false, None) => None,
    };
    Ok(RunPage { items, next_cursor: next.map(|position| position.to_cursor()) })
}
