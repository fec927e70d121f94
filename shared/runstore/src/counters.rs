//! Counters that forget, in the same kind of table.

use std::{sync::Arc, time::Duration};

use app::ports::{Clock, Count, Counters, StoreError, Window};
use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::ReturnValue};

use crate::{
    error::{failed, malformed},
    items::{keyed, number},
    keys,
};

const COUNT: &str = "count";

/// Counters in a DynamoDB table: an item per key and window, which the table's TTL deletes when the window has ended.
pub struct DynamoCounters {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
}

impl DynamoCounters {
    /// Counters in this table, in windows of this clock.
    pub fn new(client: Client, table: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self { client, table: table.into(), clock }
    }
}

#[async_trait]
impl Counters for DynamoCounters {
    async fn add(&self, key: &str, n: u32, window: Duration) -> Result<Count, StoreError> {
        let window = Window::at(self.clock.now(), window);
        let item = keyed(keys::count_pk(key), keys::count_sk(&window));
        let update = self.client.update_item().table_name(&self.table).set_key(Some(item));
        let update = update
            .update_expression("add #count :n set expires_at = :ends_at")
            .expression_attribute_names("#count", COUNT)
            .expression_attribute_values(":n", number(&n))
            .expression_attribute_values(":ends_at", number(&window.ends_on.timestamp()))
            .return_values(ReturnValue::UpdatedNew);
        let updated = update.send().await.map_err(failed(COUNT))?.attributes.unwrap_or_default();
        let count = updated.get(COUNT).and_then(|count| count.as_n().ok()?.parse().ok());
        let count = count.ok_or_else(|| malformed(COUNT, COUNT))?;
        Ok(Count { count, ends_on: window.ends_on })
    }
}
