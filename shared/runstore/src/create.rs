//! Creating runs.

use app::{
    ports::{Created, IdempotencyKey, RunSummary, StoreError},
    position::RunPosition,
};
use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use engine::{Digest, Run};
use serde_json::Value;

use crate::{
    DynamoRunStore,
    error::{failed, unavailable},
    items::{self, Item, keyed, number, text, text_of},
    keys,
    spill::{self, pack},
};

const DOING: &str = "create a run";

/// How often a transaction is repeated that collided with another one on the same key.
const COLLISIONS: u64 = 8;

impl DynamoRunStore {
    /// Two plain writes: the inputs, then the control item, with which the run begins to exist. A crash in between leaves inputs
    /// that nobody finds. Costs half of a transaction.
    pub(crate) async fn create_plain(&self, run: &Run, inputs: &Value) -> Result<Created, StoreError> {
        let inputs = self.inputs_item(run, inputs).await?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(inputs));
        put.send().await.map_err(failed(DOING))?;

        let commit_id = items::commit_id(&*self.ids);
        let control = control_item(run, commit_id.clone())?;
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(control))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = written else { return Ok(Created::New) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                // Our own write, executed before and repeated by the SDK, or another run with this id.
                let is_ours =
                    refused.item().is_some_and(|stored| stored.get("commit_id") == Some(&commit_id));
                if is_ours { Ok(Created::New) } else { Err(StoreError::Conflict) }
            }
            _ => Err(failed(DOING)(error)),
        }
    }

    /// One transaction: the run, its inputs and the key, or nothing. An expired key counts as none; DynamoDB deletes it late.
    pub(crate) async fn create_with_key(
        &self,
        run: &Run,
        inputs: &Value,
        key: &IdempotencyKey,
    ) -> Result<Created, StoreError> {
        let control = self.put(control_item(run, items::commit_id(&*self.ids))?);
        let control = control.condition_expression("attribute_not_exists(pk)");
        let inputs = self.put(self.inputs_item(run, inputs).await?);
        let idem = self
            .put(idem_item(run, key))
            .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
            .expression_attribute_values(":now", number(&run.created_on.timestamp()));
        let mut puts = Vec::new();
        for put in [control, inputs, idem] {
            let put = put.build().map_err(unavailable(DOING))?;
            puts.push(TransactWriteItem::builder().put(put).build());
        }
        for collision in 1.. {
            let transaction = self.client.transact_write_items().set_transact_items(Some(puts.clone()));
            let Err(error) = transaction.send().await else { return Ok(Created::New) };
            match cancelled_because(error.as_service_error()) {
                Some(Cancelled::ConditionFailed) => return self.earlier(run, key).await,
                Some(Cancelled::Collided) if collision < COLLISIONS => {
                    tokio::time::sleep(std::time::Duration::from_millis(10 * collision)).await;
                }
                _ => return Err(failed(DOING)(error)),
            }
        }
        Err(StoreError::Conflict)
    }

    /// What the key stands for already.
    async fn earlier(&self, run: &Run, key: &IdempotencyKey) -> Result<Created, StoreError> {
        let pk = keys::idem_pk(run.team_id, &key.key);
        let Some(used) = self.get(pk, keys::IDEM, DOING).await? else { return Err(StoreError::Conflict) };
        let request: Digest =
            serde_json::from_value(text_of(&used, "request")?.into()).map_err(unavailable(DOING))?;
        let id = text_of(&used, "run_id")?.parse().map_err(unavailable(DOING))?;
        Ok(match request == key.request {
            // Our own transaction, repeated after it had been executed.
            true if id == run.id => Created::New,
            true => Created::Existing(id),
            false => Created::KeyReused,
        })
    }

    async fn inputs_item(&self, run: &Run, inputs: &Value) -> Result<Item, StoreError> {
        let inputs = pack(&*self.blobs, run.team_id, inputs.to_string(), spill::VALUE_MAX).await?;
        let mut item = keyed(keys::run_pk(run.id), keys::INPUTS);
        item.insert("inputs".to_owned(), inputs);
        Ok(item)
    }

    fn put(&self, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item))
    }
}

/// The first control item of a run.
fn control_item(run: &Run, commit_id: AttributeValue) -> Result<Item, StoreError> {
    let mut item = keyed(keys::run_pk(run.id), keys::CONTROL);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set("state", items::state(run)?);
    set("revision", number(&run.revision));
    set("commit_id", commit_id);
    set("team_id", text(run.team_id.to_string()));
    set("summary", items::summary(&RunSummary::of(run))?);
    // The indexes of lists hold what has their keys.
    if !run.is_chunk() {
        set("workflow_id", text(run.workflow_id.to_string()));
        set("created_sk", text(RunPosition::of(run.created_on, run.id).as_str()));
    }
    if let Some(check) = run.next_check_on {
        set("check_pk", text(keys::check_pk(run.id)));
        set("check_at", text(keys::check_at(check)));
    }
    Ok(item)
}

fn idem_item(run: &Run, key: &IdempotencyKey) -> Item {
    let mut item = keyed(keys::idem_pk(run.team_id, &key.key), keys::IDEM);
    item.insert("run_id".to_owned(), text(run.id.to_string()));
    item.insert("request".to_owned(), text(key.request.as_str()));
    item.insert("expires_at".to_owned(), number(&key.expires_on.timestamp()));
    item
}

enum Cancelled {
    /// The run or the key is there.
    ConditionFailed,
    /// Another transaction touched the same items.
    Collided,
}

fn cancelled_because(error: Option<&TransactWriteItemsError>) -> Option<Cancelled> {
    match error? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let has =
                |code| cancelled.cancellation_reasons().iter().any(|reason| reason.code() == Some(code));
            // A collision says nothing of the other conditions, so it is looked at first.
            match (has("TransactionConflict"), has("ConditionalCheckFailed")) {
                (true, _) => Some(Cancelled::Collided),
                (false, true) => Some(Cancelled::ConditionFailed),
                (false, false) => None,
            }
        }
        TransactWriteItemsError::TransactionInProgressException(_) => Some(Cancelled::Collided),
        _ => None,
    }
}
