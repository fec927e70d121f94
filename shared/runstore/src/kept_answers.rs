//! Answers that are given again, in the table of what may be forgotten.

use app::ports::{ANSWER_AWAITED, ANSWER_KEPT, Begun, KeptAnswer, KeptAnswers, StoreError};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    operation::{delete_item::DeleteItemError, put_item::PutItemError},
    primitives::Blob,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use domain::Timestamp;

use crate::{
    error::{failed, malformed, unavailable},
    items::{Item, json_of, keyed, number, text},
    keys,
};

const BEGINNING: &str = "begin a request";
const KEEPING: &str = "keep an answer";
const LETTING_GO: &str = "let a request go";

/// Answers in a DynamoDB table: an item per key, which the table's TTL deletes when it is over.
pub struct DynamoAnswers {
    client: Client,
    table: String,
}

impl DynamoAnswers {
    /// Answers in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }
}

#[async_trait]
impl KeptAnswers for DynamoAnswers {
    async fn begin(&self, key: &str, request: [u8; 32], now: Timestamp) -> Result<Begun, StoreError> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .set_item(Some(item(key, request, now + ANSWER_AWAITED)))
            .condition_expression("attribute_not_exists(pk) or expires_at <= :now")
            .expression_attribute_values(":now", number(&now.timestamp()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Begun::First) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(known)) => begun(known.item(), request),
            _ => Err(failed(BEGINNING)(error)),
        }
    }

    async fn keep(
        &self,
        key: &str,
        request: [u8; 32],
        answer: &KeptAnswer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut item = item(key, request, now + ANSWER_KEPT);
        let headers = serde_json::to_string(&answer.headers).map_err(unavailable(KEEPING))?;
        item.insert("status".to_owned(), number(&answer.status));
        item.insert("headers".to_owned(), text(headers));
        item.insert("body".to_owned(), AttributeValue::B(Blob::new(answer.body.clone())));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(drop).map_err(failed(KEEPING))
    }

    async fn let_go(&self, key: &str, request: [u8; 32]) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(place(key)));
        let delete = delete
            .condition_expression("#request = :request and attribute_not_exists(headers)")
            .expression_attribute_names("#request", "request") // a reserved word
            .expression_attribute_values(":request", bytes(request));
        match delete.send().await {
            Err(error)
                if !error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Err(failed(LETTING_GO)(error))
            }
            _ => Ok(()),
        }
    }
}

fn place(key: &str) -> Item {
    keyed(keys::answer_pk(key), keys::ANSWER)
}

fn bytes(request: [u8; 32]) -> AttributeValue {
    AttributeValue::B(Blob::new(request))
}

fn item(key: &str, request: [u8; 32], ends_on: Timestamp) -> Item {
    let mut item = place(key);
    item.insert("request".to_owned(), bytes(request));
    item.insert("expires_at".to_owned(), number(&ends_on.timestamp()));
    item
}

fn begun(known: Option<&Item>, request: [u8; 32]) -> Result<Begun, StoreError> {
    let known = known.ok_or_else(|| malformed(BEGINNING, "request"))?;
    if known.get("request") != Some(&bytes(request)) {
        return Ok(Begun::Other);
    }
    let Some(status) = known.get("status") else { return Ok(Begun::UnderWay) };
    let status = status.as_n().ok().and_then(|status| status.parse().ok());
    let body = known.get("body").and_then(|body| body.as_b().ok());
    Ok(Begun::Answered(KeptAnswer {
        status: status.ok_or_else(|| malformed(BEGINNING, "status"))?,
        headers: json_of(known, "headers")?,
        body: body.ok_or_else(|| malformed(BEGINNING, "body"))?.clone().into_inner(),
    }))
}
