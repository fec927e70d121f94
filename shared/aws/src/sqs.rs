//! The queue of hints on a standard SQS queue.

use std::{collections::HashMap, time::Duration};

use app::ports::{Hint, StepQueue, StoreError};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client,
    types::{BatchResultErrorEntry, SendMessageBatchRequestEntry},
};

use crate::unavailable;

const DOING: &str = "send hints";

/// The most messages that one `SendMessageBatch` takes.
const BATCH: usize = 10;

/// The longest delay of a message, in seconds.
const MAX_DELAY_S: u32 = 900;

/// How often refused messages of a batch are sent again: after 20, 40, 80 ms.
const TRIES: u32 = 4;

/// Hints as JSON bodies. The message group is the team, which makes a standard queue fair: a team with many messages does not delay
/// the others'.
#[derive(Debug, Clone)]
pub struct SqsStepQueue {
    client: Client,
    url: String,
}

impl SqsStepQueue {
    /// The queue at this URL.
    pub fn new(sdk: &SdkConfig, url: impl Into<String>) -> Self {
        Self { client: Client::new(sdk), url: url.into() }
    }

    async fn send_batch(&self, entries: Vec<SendMessageBatchRequestEntry>) -> Result<(), StoreError> {
        let mut rest = entries;
        for again in 0..TRIES {
            let send = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(rest.clone()));
            let failed = send.send().await.map_err(unavailable(DOING))?.failed;
            if failed.is_empty() {
                return Ok(());
            }
            let by_id: HashMap<&str, &BatchResultErrorEntry> = failed.iter().map(|f| (f.id(), f)).collect();
            if let Some(refused) = failed.iter().find(|entry| entry.sender_fault()) {
                let (code, message) = (refused.code(), refused.message().unwrap_or_default());
                return Err(unavailable(DOING)(format!("{code}: {message}")));
            }
            rest.retain(|entry| by_id.contains_key(entry.id()));
            tokio::time::sleep(Duration::from_millis(20 << again)).await;
        }
        Err(unavailable(DOING)(format!("{} messages were not accepted", rest.len())))
    }
}

#[async_trait]
impl StepQueue for SqsStepQueue {
    async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError> {
        for batch in hints.chunks(BATCH) {
            let entries: Result<Vec<_>, _> = batch.iter().enumerate().map(entry).collect();
            self.send_batch(entries?).await?;
        }
        Ok(())
    }
}

fn entry((n, (hint, delay_s)): (usize, &(Hint, u32))) -> Result<SendMessageBatchRequestEntry, StoreError> {
    let body = serde_json::to_string(hint).map_err(unavailable(DOING))?;
    SendMessageBatchRequestEntry::builder()
        .id(n.to_string())
        .message_body(body)
        .message_group_id(hint.team_id.to_string())
        // No delay of its own where none is asked for: the queue's stands then, and it is zero.
        .set_delay_seconds(
            (*delay_s > 0).then(|| i32::try_from((*delay_s).min(MAX_DELAY_S)).unwrap_or_default()),
        )
        .build()
        .map_err(unavailable(DOING))
}
