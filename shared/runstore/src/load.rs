//! Reading runs.

use std::{collections::HashSet, sync::Arc};

use app::{
    ports::{LoadedRun, StoreError},
    spill::LargeValues,
};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use domain::{RunId, TeamId};
use engine::{NodeState, Run, StepRecord};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    DynamoRunStore, compact,
    error::{failed, malformed, unavailable},
    items::{Item, keyed, text, text_of},
    keys::{self, SK},
    spill::{read_large, unpack, value_of},
};

const DOING: &str = "load a run";

/// Step records that are put together at once.
const AT_ONCE: usize = 8;

impl DynamoRunStore {
    /// Everything of a run in one consistent query, or several where it is larger than a page of 1 MB.
    pub(crate) async fn load_run(&self, team: TeamId, id: RunId) -> Result<LoadedRun, StoreError> {
        let Found { run, committed, inputs, steps } = self.find(team, self.items_of(id)).await?;
        let inputs = inputs.as_ref().and_then(|item| item.get("inputs"));
        let inputs = inputs.ok_or_else(|| malformed(DOING, "inputs"))?;
        let outputs = steps.iter().filter_map(|item| item.get("output"));
        let large = &read_large(&*self.blobs, team, outputs.chain([inputs])).await?;
        let inputs = value_of(inputs, large)?;
        let records: Vec<_> = stream::iter(steps)
            .map(|item| async move { self.step_of(team, &item, large).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(LoadedRun::compose(run, inputs, records, |record| committed.holds(&keys::record_sk(record))))
    }

    /// The control state and the records without their outputs, which are not sent.
    pub(crate) async fn load_bare(
        &self,
        team: TeamId,
        id: RunId,
    ) -> Result<(Run, Vec<StepRecord>), StoreError> {
        let query = self
            .items_of(id)
            .projection_expression("sk, team_id, #state, retried, #record")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#record", "record");
        let Found { run, committed, steps, .. } = self.find(team, query).await?;
        let records: Vec<StepRecord> = stream::iter(steps)
            .map(|item| async move { self.unpacked(team, &item, "record").await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let was_retried = |record: &StepRecord| committed.holds(&keys::record_sk(record));
        let LoadedRun { run, records, .. } = LoadedRun::compose(run, Arc::default(), records, was_retried);
        Ok((run, records))
    }

    /// Every item of a run, the control item first.
    fn items_of(&self, id: RunId) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk >= :from")
            .expression_attribute_values(":pk", text(keys::run_pk(id)))
            .expression_attribute_values(":from", text(keys::CONTROL))
    }

    /// Reads the items of a run, and passes over those of lost commits.
    async fn find(&self, team: TeamId, query: QueryFluentBuilder) -> Result<Found, StoreError> {
        let mut pages = query.into_paginator().items().send();
        let control = pages.next().await.transpose().map_err(failed(DOING))?;
        let control = control.filter(|item| is(item, keys::CONTROL)).ok_or(StoreError::NotFound)?;
        let run = state_of(&control, team)?;
        let committed = Committed::new(&run, &control);
        let (mut inputs, mut steps) = (None, Vec::new());
        while let Some(item) = pages.next().await.transpose().map_err(failed(DOING))? {
            if is(&item, keys::INPUTS) {
                inputs = Some(item);
            } else if committed.holds(text_of(&item, SK)?) {
                steps.push(item);
            }
        }
        Ok(Found { run, committed, inputs, steps })
    }

    /// Only the control state.
    pub(crate) async fn load_state(&self, team: TeamId, id: RunId) -> Result<Run, StoreError> {
        let control = self.get(keys::run_pk(id), keys::CONTROL, DOING).await?;
        state_of(&control.ok_or(StoreError::NotFound)?, team)
    }

    /// One item, read consistently.
    pub(crate) async fn get(
        &self,
        pk: String,
        sk: &str,
        doing: &'static str,
    ) -> Result<Option<Item>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let got = get.set_key(Some(keyed(pk, sk))).send().await.map_err(failed(doing))?;
        Ok(got.item)
    }

    async fn step_of(
        &self,
        team: TeamId,
        item: &Item,
        large: &LargeValues,
    ) -> Result<StepRecord, StoreError> {
        let record: StepRecord = self.unpacked(team, item, "record").await?;
        let output = item.get("output").map(|attribute| value_of(attribute, large)).transpose()?;
        Ok(StepRecord { output, ..record })
    }

    pub(crate) async fn unpacked<T: serde::de::DeserializeOwned>(
        &self,
        team: TeamId,
        item: &Item,
        name: &'static str,
    ) -> Result<T, StoreError> {
        let attribute = item.get(name).ok_or_else(|| malformed(DOING, name))?;
        let json = unpack(&*self.blobs, team, attribute).await?;
        serde_json::from_str(&json).map_err(unavailable(DOING))
    }
}

/// What there is of a run.
struct Found {
    run: Run,
    committed: Committed,
    inputs: Option<Item>,
    steps: Vec<Item>,
}

/// The control state of a run of this team; any other team's is not found.
fn state_of(control: &Item, team: TeamId) -> Result<Run, StoreError> {
    if text_of(control, "team_id")? != team.to_string() {
        return Err(StoreError::NotFound);
    }
    serde_json::from_str(&compact::text_of(control, "state", DOING)?).map_err(unavailable(DOING))
}

fn is(item: &Item, sk: &str) -> bool {
    text_of(item, SK).is_ok_and(|found| found == sk)
}

/// The step records that belong to commits, by sort key: enough to pass over those of lost commits unread.
struct Committed {
    settled: HashSet<String>,
    retried: HashSet<String>,
}

impl Committed {
    fn new(run: &Run, control: &Item) -> Self {
        let settled = run.nodes.iter().filter_map(|(node, state)| match state {
            NodeState::Succeeded { attempt, output, settled_at, .. }
            | NodeState::Failed { attempt, output, settled_at, .. } => {
                Some(keys::step_sk(node, *attempt, output, *settled_at))
            }
            _ => None,
        });
        let retried = control.get("retried").and_then(|names| names.as_ss().ok());
        Self { settled: settled.collect(), retried: retried.into_iter().flatten().cloned().collect() }
    }

    fn holds(&self, sk: &str) -> bool {
        self.settled.contains(sk) || self.retried.contains(&keys::step_name(sk))
    }
}
