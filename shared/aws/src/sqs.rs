//! The queue of hints on standard SQS queues. In production Lambda receives; [`SqsStepQueue`] can do so too.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use app::ports::{Delivered, Hint, StepInbox, StepQueue, StoreError, unavailable};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client,
    operation::delete_message::DeleteMessageError,
    types::{BatchResultErrorEntry, Message, MessageSystemAttributeName, SendMessageBatchRequestEntry},
};
use domain::Priority;

const DOING: &str = "send hints";

/// The most messages that one `SendMessageBatch` takes.
const BATCH: usize = 10;

/// The longest delay of a message, in seconds.
const MAX_DELAY_S: u32 = 900;

/// How often refused messages of a batch are sent again: after 20, 40, 80 ms.
const TRIES: u32 = 4;

/// Hints as JSON bodies. The message group is the team, which makes a standard queue fair: a team with many messages does
/// not delay the others'.
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

/// Where the queue of each class is.
#[derive(Debug, Clone)]
pub struct StepQueueUrls {
    /// Of runs that somebody waits for.
    pub high: String,
    /// Of most runs.
    pub default: String,
    /// Of runs that may take their time.
    pub low: String,
}

/// A queue for each class of runs, each with workers of its own, so that a class waits for no other (RUN-16).
#[derive(Debug, Clone)]
pub struct SqsStepQueues {
    high: SqsStepQueue,
    default: SqsStepQueue,
    low: SqsStepQueue,
}

impl SqsStepQueues {
    /// The queues at these URLs.
    pub fn new(sdk: &SdkConfig, urls: StepQueueUrls) -> Self {
        let client = Client::new(sdk);
        let queue = |url| SqsStepQueue { client: client.clone(), url };
        Self { high: queue(urls.high), default: queue(urls.default), low: queue(urls.low) }
    }

    fn of(&self, priority: Priority) -> &SqsStepQueue {
        match priority {
            Priority::High => &self.high,
            Priority::Default => &self.default,
            Priority::Low => &self.low,
        }
    }
}

#[async_trait]
impl StepQueue for SqsStepQueues {
    async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError> {
        for priority in Priority::ALL {
            let class = hints.iter().filter(|(hint, _)| hint.priority == priority);
            self.of(priority).send(&class.cloned().collect::<Vec<_>>()).await?;
        }
        Ok(())
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

/// The longest that one request waits for a message (SQS).
const LONGEST_WAIT: Duration = Duration::from_secs(20);

#[async_trait]
impl StepInbox for SqsStepQueue {
    async fn receive(&self, at_most: u32, patience: Duration) -> Result<Vec<Delivered>, StoreError> {
        let doing = "receive hints";
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let wait_s = i32::try_from(left.min(LONGEST_WAIT).as_secs()).unwrap_or_default();
            let receive = self.client.receive_message().queue_url(&self.url);
            let receive = receive
                .max_number_of_messages(i32::try_from(at_most.clamp(1, 10)).unwrap_or(10))
                .wait_time_seconds(wait_s)
                .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
            let messages = receive.send().await.map_err(unavailable(doing))?.messages.unwrap_or_default();
            if !messages.is_empty() {
                return messages.iter().map(delivered).collect();
            }
            if Instant::now() >= end {
                return Ok(Vec::new());
            }
        }
    }

    async fn done(&self, receipt: &str) -> Result<(), StoreError> {
        let delete = self.client.delete_message().queue_url(&self.url).receipt_handle(receipt);
        match delete.send().await {
            Ok(_) => Ok(()),
            // Of a message that is gone, some queues do not know the receipt any more.
            Err(error)
                if error.as_service_error().is_some_and(DeleteMessageError::is_receipt_handle_is_invalid) =>
            {
                Ok(())
            }
            Err(error) => Err(unavailable("delete a hint")(error)),
        }
    }

    async fn release(&self, receipt: &str, delay_s: u32) -> Result<(), StoreError> {
        let change = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let change = change.visibility_timeout(i32::try_from(delay_s).unwrap_or(i32::MAX));
        change.send().await.map(drop).map_err(unavailable("release a hint"))
    }
}

fn delivered(message: &Message) -> Result<Delivered, StoreError> {
    let attributes = message.attributes.as_ref();
    let count = attributes.and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount));
    Ok(Delivered {
        id: message.message_id().unwrap_or_default().to_owned(),
        receipt: message.receipt_handle().unwrap_or_default().to_owned(),
        hint: serde_json::from_str(message.body().unwrap_or_default())
            .map_err(unavailable("receive hints"))?,
        receive_count: count.and_then(|count| count.parse().ok()).unwrap_or(1),
    })
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
