//! Runs that have ended, as retention sees them.

use std::collections::BTreeSet;

use app::{
    ports::{EndedRuns, StoreError},
    position::RunPosition,
};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{DeleteRequest, KeysAndAttributes, WriteRequest},
};
use domain::{RunId, TeamId, Timestamp};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

use crate::{
    DynamoRunStore,
    commit::{AT_ONCE, BATCH},
    error::{failed, malformed, unavailable},
    items::{Item, keyed, summary_of, text, text_of},
    keys::{self, PK, SK},
    list::MOST_REQUESTS,
    question::WIDE,
};

const LISTING: &str = "list ended runs";
const MARKING: &str = "mark a run as exported";
const PURGING: &str = "delete a run";

/// The attribute of a control item that says that its run was exported.
const EXPORTED: &str = "exported";

/// The most items that one `BatchGetItem` takes.
const MOST_KEYS: usize = 100;

/// How often what a batch left out is asked for again.
const TRIES: u32 = 7;

#[async_trait]
impl EndedRuns for DynamoRunStore {
    async fn ended_before(
        &self,
        team: TeamId,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<RunId>, StoreError> {
        let limit = limit as usize;
        let (mut ended, mut start): (Vec<RunId>, Option<Item>) = (Vec::new(), None);
        // Bounded, as open runs that are older lie before those that are looked for.
        for _ in 0..MOST_REQUESTS {
            let query = self.client.query().table_name(&self.table).index_name("by_team").limit(WIDE);
            let page = query
                .key_condition_expression("team_id = :team AND created_sk < :before")
                .expression_attribute_values(":team", text(team.to_string()))
                .expression_attribute_values(":before", text(position(before).as_str()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(failed(LISTING))?;
            for item in page.items.unwrap_or_default() {
                let run = summary_of(&item)?;
                if run.finished_on.is_some_and(|finished_on| finished_on < before) {
                    ended.push(run.id);
                }
            }
            start = page.last_evaluated_key;
            if ended.len() >= limit || start.is_none() {
                break;
            }
        }
        ended.truncate(limit);
        Ok(ended)
    }

    async fn mark_exported(&self, team: TeamId, run: RunId) -> Result<(), StoreError> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update
            .set_key(Some(keyed(keys::run_pk(run), keys::CONTROL)))
            .update_expression("SET exported = :yes")
            .condition_expression("team_id = :team AND attribute_exists(summary.finished_on)")
            .expression_attribute_values(":yes", text("yes"))
            .expression_attribute_values(":team", text(team.to_string()));
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                self.expect_ended(team, run).await.map(drop)
            }
            Err(error) => Err(failed(MARKING)(error)),
        }
    }

    async fn exported(&self, team: TeamId, runs: &[RunId]) -> Result<BTreeSet<RunId>, StoreError> {
        let mut exported = BTreeSet::new();
        for some in runs.chunks(MOST_KEYS) {
            for item in self.controls(some).await? {
                if item.contains_key(EXPORTED) && text_of(&item, "team_id")? == team.to_string() {
                    exported.insert(keys::run_of(text_of(&item, PK)?).ok_or_else(|| malformed(LISTING, PK))?);
                }
            }
        }
        Ok(exported)
    }

    async fn purge(&self, team: TeamId, run: RunId) -> Result<(), StoreError> {
        if !self.expect_ended(team, run).await? {
            return Ok(());
        }
        let items: Result<Vec<Item>, _> = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .projection_expression("pk, sk")
            .expression_attribute_values(":pk", text(keys::run_pk(run)))
            .into_paginator()
            .items()
            .send()
            .collect()
            .await;
        let mut beside = items.map_err(failed(PURGING))?;
        beside.retain(|item| text_of(item, SK).is_ok_and(|sk| sk != keys::CONTROL));
        let batches = beside.chunks(BATCH).map(<[Item]>::to_vec).map(|batch| self.delete_batch(batch));
        stream::iter(batches).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.set_key(Some(keyed(keys::run_pk(run), keys::CONTROL)));
        delete.send().await.map(drop).map_err(failed(PURGING))
    }
}

impl DynamoRunStore {
    /// Whether the team has the run. One that is open is a conflict.
    async fn expect_ended(&self, team: TeamId, run: RunId) -> Result<bool, StoreError> {
        match self.load_state(team, run).await {
            Ok(run) if run.status.is_terminal() => Ok(true),
            Ok(_) => Err(StoreError::Conflict),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What the control items of these runs say of their export.
    async fn controls(&self, runs: &[RunId]) -> Result<Vec<Item>, StoreError> {
        let keys = runs.iter().map(|run| keyed(keys::run_pk(*run), keys::CONTROL)).collect();
        let asked = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys));
        let asked = asked.projection_expression("pk, team_id, exported");
        let mut rest = Some(asked.build().map_err(unavailable(LISTING))?);
        let mut found = Vec::new();
        for again in 0..TRIES {
            let Some(asked) = rest.take() else { return Ok(found) };
            let got = self.client.batch_get_item().request_items(&self.table, asked).send().await;
            let got = got.map_err(failed(LISTING))?;
            found.extend(got.responses.and_then(|mut items| items.remove(&self.table)).unwrap_or_default());
            rest = got.unprocessed_keys.and_then(|mut keys| keys.remove(&self.table));
            if rest.is_some() {
                tokio::time::sleep(std::time::Duration::from_millis(20 << again)).await;
            }
        }
        Err(unavailable(LISTING)("the table is throttled"))
    }

    async fn delete_batch(&self, keys: Vec<Item>) -> Result<(), StoreError> {
        let mut requests = Vec::new();
        for key in keys {
            let delete = DeleteRequest::builder().set_key(Some(key)).build().map_err(unavailable(PURGING))?;
            requests.push(WriteRequest::builder().delete_request(delete).build());
        }
        self.send_batch(requests, PURGING).await
    }
}

/// The place before every run that was accepted at this time.
fn position(time: Timestamp) -> RunPosition {
    RunPosition::of(time, RunId::new(Uuid::nil()))
}
