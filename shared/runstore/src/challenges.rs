//! One-time codes that wait for an answer, in the table of what may be forgotten.

use app::ports::{Challenge, Challenges, StoreError};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    operation::{delete_item::DeleteItemError, update_item::UpdateItemError},
    primitives::Blob,
    types::{AttributeValue, ReturnValue},
};
use domain::Timestamp;
use uuid::Uuid;

use crate::{
    error::{failed, malformed, unavailable},
    items::{Item, keyed, number, text, text_of},
    keys,
};

const KEEPING: &str = "keep a challenge";
const TRYING: &str = "try a challenge";
const TAKING: &str = "take a challenge";

/// Challenges in a DynamoDB table: an item per key, which the table's TTL deletes when it is over.
pub struct DynamoChallenges {
    client: Client,
    table: String,
}

impl DynamoChallenges {
    /// Challenges in this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }
}

#[async_trait]
impl Challenges for DynamoChallenges {
    async fn put(&self, key: &str, challenge: &Challenge) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item(key, challenge)));
        put.send().await.map(drop).map_err(failed(KEEPING))
    }

    async fn attempt(&self, key: &str, most: u32, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(place(key)));
        let update = update
            .update_expression("add tries :one")
            .condition_expression("tries < :most and expires_at > :now")
            .expression_attribute_values(":one", number(&1))
            .expression_attribute_values(":most", number(&most))
            .expression_attribute_values(":now", number(&now.timestamp()))
            .return_values(ReturnValue::AllNew);
        match update.send().await {
            Ok(tried) => challenge(&tried.attributes.unwrap_or_default()).map(Some),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed(TRYING)(error)),
        }
    }

    async fn take(&self, key: &str, id: Uuid) -> Result<bool, StoreError> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(place(key)));
        let delete = delete
            .condition_expression("challenge = :challenge")
            .expression_attribute_values(":challenge", text(id.to_string()));
        match delete.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed(TAKING)(error)),
        }
    }
}

fn place(key: &str) -> Item {
    keyed(keys::challenge_pk(key), keys::CHALLENGE)
}

fn item(key: &str, challenge: &Challenge) -> Item {
    let mut item = place(key);
    item.insert("challenge".to_owned(), text(challenge.id.to_string()));
    item.insert("mac".to_owned(), AttributeValue::B(Blob::new(challenge.mac)));
    item.insert("purpose".to_owned(), text(&challenge.purpose));
    item.insert("tries".to_owned(), number(&0));
    item.insert("expires_at".to_owned(), number(&challenge.expires_at.timestamp()));
    item.extend(challenge.ip.map(|ip| ("ip".to_owned(), text(ip.to_string()))));
    item.extend(challenge.user_agent.as_ref().map(|agent| ("user_agent".to_owned(), text(agent))));
    item
}

fn challenge(item: &Item) -> Result<Challenge, StoreError> {
    let mac = item.get("mac").and_then(|mac| mac.as_b().ok()?.as_ref().try_into().ok());
    let ends = item.get("expires_at").and_then(|ends| ends.as_n().ok()?.parse().ok());
    Ok(Challenge {
        id: text_of(item, "challenge")?.parse().map_err(unavailable(TRYING))?,
        mac: mac.ok_or_else(|| malformed(TRYING, "mac"))?,
        purpose: text_of(item, "purpose")?.to_owned(),
        expires_at: ends
            .and_then(|ends| Timestamp::from_timestamp(ends, 0))
            .ok_or_else(|| malformed(TRYING, "expires_at"))?,
        ip: text_of(item, "ip").ok().and_then(|ip| ip.parse().ok()),
        user_agent: text_of(item, "user_agent").ok().map(str::to_owned),
    })
}
