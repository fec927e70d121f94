//! Commits: step records first, then the control item as the only commit point.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use app::{
    ports::{RunSummary, StoreError},
    spill::groups,
};
use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, PutRequest, ReturnValuesOnConditionCheckFailure, WriteRequest},
};
use domain::TeamId;
use engine::{Digest, Run, StepRecord};
use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};

use crate::{
    DynamoRunStore,
    error::{failed, unavailable},
    items::{self, Item, keyed, number, text, text_of},
    keys,
    spill::{self, pack},
};

const DOING: &str = "commit a run";

/// The most items that one `BatchWriteItem` takes.
pub(crate) const BATCH: usize = 25;

/// How often the throttled rest of a batch is sent again: after 20, 40, … 1280 ms.
const BATCH_TRIES: u32 = 7;

/// Records that are put together, and batches under way, at once.
pub(crate) const AT_ONCE: usize = 4;

impl DynamoRunStore {
    /// Writes step records; writing them again changes nothing. One record is one `PutItem`, more are batches of 25.
    pub(crate) async fn write_records(&self, run: &Run, records: &[StepRecord]) -> Result<(), StoreError> {
        let outputs = self.packed_outputs(run.team_id, records).await?;
        let mut items = Vec::new();
        for record in records {
            items.push(self.step_item(run, record, &outputs));
        }
        let items: Vec<Item> = stream::iter(items).buffered(AT_ONCE).try_collect().await?;
        match <[Item; 1]>::try_from(items) {
            Ok([item]) => {
                let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
                put.send().await.map(drop).map_err(failed(DOING))
            }
            Err(items) => {
                let batches = items.chunks(BATCH).map(<[Item]>::to_vec).map(|batch| self.write_batch(batch));
                stream::iter(batches).buffer_unordered(AT_ONCE).try_collect().await
            }
        }
    }

    async fn write_batch(&self, items: Vec<Item>) -> Result<(), StoreError> {
        let mut puts = Vec::new();
        for item in items {
            let put = PutRequest::builder().set_item(Some(item)).build().map_err(unavailable(DOING))?;
            puts.push(WriteRequest::builder().put_request(put).build());
        }
        self.send_batch(puts, DOING).await
    }

    /// Sends at most [`BATCH`] writes, and what of them is throttled again.
    pub(crate) async fn send_batch(
        &self,
        writes: Vec<WriteRequest>,
        doing: &'static str,
    ) -> Result<(), StoreError> {
        let mut rest = writes;
        for again in 0..BATCH_TRIES {
            let written = self.client.batch_write_item().request_items(&self.table, rest).send().await;
            let mut unprocessed = written.map_err(failed(doing))?.unprocessed_items.unwrap_or_default();
            rest = unprocessed.remove(&self.table).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20 << again)).await;
        }
        Err(unavailable(doing)("the table is throttled"))
    }

    /// The outputs of records as attributes, by digest: each is written as JSON and packed once, however many nodes have handed it on.
    async fn packed_outputs<'a>(
        &self,
        team: TeamId,
        records: &'a [StepRecord],
    ) -> Result<HashMap<&'a Digest, AttributeValue>, StoreError> {
        let outputs = records.iter().filter_map(|record| Some((&record.digest, record.output.as_deref()?)));
        let texts = outputs.collect::<BTreeMap<_, _>>().into_iter().map(|(digest, output)| {
            let json = output.to_string();
            let bytes = json.len();
            ((digest, json), bytes)
        });
        let mut packed = HashMap::new();
        for group in groups(texts) {
            let packing = group.into_iter().map(|(digest, json)| async move {
                let output = pack(&*self.blobs, team, json, spill::VALUE_MAX).await?;
                Ok::<_, StoreError>((digest, output))
            });
            packed.extend(try_join_all(packing).await?);
        }
        Ok(packed)
    }

    async fn step_item(
        &self,
        run: &Run,
        record: &StepRecord,
        outputs: &HashMap<&Digest, AttributeValue>,
    ) -> Result<Item, StoreError> {
        let mut item = keyed(keys::run_pk(run.id), keys::record_sk(record));
        if record.output.is_some() {
            item.insert("output".to_owned(), outputs[&record.digest].clone());
        }
        let rest = StepRecord { output: None, ..record.clone() };
        let rest = serde_json::to_string(&rest).map_err(unavailable(DOING))?;
        item.insert("record".to_owned(), pack(&*self.blobs, run.team_id, rest, spill::RECORD_MAX).await?);
        Ok(item)
    }

    /// Replaces the control item if its revision is still the one that the run was decided on.
    pub(crate) async fn replace_control(&self, run: &Run, records: &[StepRecord]) -> Result<(), StoreError> {
        let commit_id = items::commit_id(&*self.ids);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keyed(keys::run_pk(run.id), keys::CONTROL)))
            .condition_expression("revision = :before AND team_id = :team")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":before", number(&run.revision.saturating_sub(1)))
            .expression_attribute_values(":team", text(run.team_id.to_string()))
            .expression_attribute_values(":state", items::state(run)?)
            .expression_attribute_values(":revision", number(&run.revision))
            .expression_attribute_values(":id", commit_id.clone())
            .expression_attribute_values(":summary", items::summary(&RunSummary::of(run))?);
        let set = "SET #state = :state, revision = :revision, commit_id = :id, summary = :summary";
        let Err(error) = with_rest(update, set, run, records).send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => match refused.item() {
                None => Err(StoreError::NotFound),
                Some(stored) if text_of(stored, "team_id")? != run.team_id.to_string() => {
                    Err(StoreError::NotFound)
                }
                // Executed before, answered too late, and repeated by the SDK.
                Some(stored) if stored.get("commit_id") == Some(&commit_id) => Ok(()),
                Some(_) => Err(StoreError::Conflict),
            },
            _ => Err(failed(DOING)(error)),
        }
    }
}

/// Completes the update by what not every commit changes: the place in `by_check`, which an ended run leaves in the end, and the names of
/// retried attempts.
fn with_rest(
    update: UpdateItemFluentBuilder,
    set: &str,
    run: &Run,
    records: &[StepRecord],
) -> UpdateItemFluentBuilder {
    let (mut expression, mut update) = (set.to_owned(), update);
    if let Some(check) = run.next_check_on {
        expression += ", check_pk = :check_pk, check_at = :check_at";
        update = update
            .expression_attribute_values(":check_pk", text(keys::check_pk(run.id)))
            .expression_attribute_values(":check_at", text(keys::check_at(check)));
    } else {
        expression += " REMOVE check_pk, check_at";
    }
    let retried: Vec<_> = records
        .iter()
        .filter(|record| record.retried)
        .map(|record| keys::step_name(&keys::record_sk(record)))
        .collect();
    if !retried.is_empty() {
        expression += " ADD retried :retried";
        update = update.expression_attribute_values(":retried", AttributeValue::Ss(retried));
    }
    update.update_expression(expression)
}
