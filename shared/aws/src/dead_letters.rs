//! The dead-letter queue of the steps, looked through by receiving.

use std::{collections::HashMap, sync::Arc};

use app::ports::{
    DeadLetter, DeadLetterPage, DeadLetters, Hint, Redrive, StepQueue, StoreError, unavailable,
};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
        MessageSystemAttributeName,
    },
};
use domain::{TeamId, Timestamp};

const LISTING: &str = "list dead letters";
const REDRIVING: &str = "redrive dead letters";

/// Requests of ten messages each that one look may cost.
const MOST_REQUESTS: usize = 50;

/// How long a letter that is looked at is hidden from others, in seconds: longer than a look takes.
const LOOK_S: i32 = 30;

/// How long a receive waits for a letter, in seconds. One that does not wait asks only some of the servers, and may miss what is there.
const WAIT_S: i32 = 1;

/// The most messages that one request takes.
const BATCH: usize = 10;

/// Dead letters in an SQS queue.
///
/// SQS can't look for a team's messages, nor show one without giving it out. So a look receives up to 500 letters of all teams, keeps the
/// team's, and gives all of them back. Two looks at the same time see different parts, each look counts as a receive, and what lies
/// behind the first 500 is seen when those are redriven. SQS does not note when a letter died.
pub struct SqsDeadLetters {
    client: Client,
    url: String,
    steps: Arc<dyn StepQueue>,
}

impl SqsDeadLetters {
    /// The letters at this URL, which go back to `steps`.
    pub fn new(sdk: &SdkConfig, url: impl Into<String>, steps: Arc<dyn StepQueue>) -> Self {
        Self { client: Client::new(sdk), url: url.into(), steps }
    }

    /// What can be received now. Hidden from others until it is given back or [`LOOK_S`] are over.
    async fn look(&self, doing: &'static str) -> Result<Look, StoreError> {
        let mut look = Look::default();
        for _ in 0..MOST_REQUESTS {
            let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10);
            let receive = receive
                .visibility_timeout(LOOK_S)
                .wait_time_seconds(WAIT_S)
                .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
                .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
            let received = receive.send().await.map_err(unavailable(doing))?.messages.unwrap_or_default();
            if received.is_empty() {
                look.is_complete = true;
                break;
            }
            let found = received.iter().filter_map(Found::read);
            look.found.extend(found.map(|found| (found.letter.id.clone(), found)));
        }
        Ok(look)
    }

    /// Shows letters to others again. One that can't be given back comes back by itself.
    async fn give_back<'a>(&self, found: impl Iterator<Item = &'a Found>) {
        let found: Vec<_> = found.collect();
        for batch in found.chunks(BATCH) {
            let entries = batch.iter().enumerate().filter_map(|(n, found)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(n.to_string());
                entry.receipt_handle(&found.receipt).visibility_timeout(0).build().ok()
            });
            let change = self.client.change_message_visibility_batch().queue_url(&self.url);
            let _ = change.set_entries(Some(entries.collect())).send().await;
        }
    }

    async fn delete(&self, found: &[Found]) -> Result<(), StoreError> {
        for batch in found.chunks(BATCH) {
            let entries: Result<Vec<_>, _> = batch
                .iter()
                .enumerate()
                .map(|(n, found)| {
                    let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string());
                    entry.receipt_handle(&found.receipt).build()
                })
                .collect();
            let delete = self.client.delete_message_batch().queue_url(&self.url);
            let delete = delete.set_entries(Some(entries.map_err(unavailable(REDRIVING))?));
            // One that stays is redriven once more when somebody asks, which is harmless.
            delete.send().await.map_err(unavailable(REDRIVING))?;
        }
        Ok(())
    }
}

/// What a look has found, by id: after [`LOOK_S`] a message may have come twice.
#[derive(Default)]
struct Look {
    found: HashMap<String, Found>,
    is_complete: bool,
}

/// A letter, and what it was received by.
struct Found {
    letter: DeadLetter,
    hint: Hint,
    receipt: String,
}

impl Found {
    /// None if it is not of the form that we send.
    fn read(message: &Message) -> Option<Self> {
        let hint: Hint = serde_json::from_str(message.body()?).ok()?;
        let attributes = message.attributes()?;
        let number = |name| attributes.get(&name)?.parse::<i64>().ok();
        let count = number(MessageSystemAttributeName::ApproximateReceiveCount)?;
        let sent_on = Timestamp::from_timestamp_millis(number(MessageSystemAttributeName::SentTimestamp)?)?;
        let letter = DeadLetter {
            id: message.message_id()?.to_owned(),
            run_id: hint.run_id,
            node: hint.node.clone(),
            receive_count: u32::try_from(count).unwrap_or(u32::MAX),
            sent_on,
            died_on: None,
        };
        Some(Self { letter, hint, receipt: message.receipt_handle()?.to_owned() })
    }
}

#[async_trait]
impl DeadLetters for SqsDeadLetters {
    async fn list(&self, team: TeamId, limit: u32) -> Result<DeadLetterPage, StoreError> {
        let look = self.look(LISTING).await?;
        self.give_back(look.found.values()).await;
        let of_team = look.found.into_values().filter(|found| found.hint.team_id == team);
        let mut letters: Vec<_> = of_team.map(|found| found.letter).collect();
        letters.sort_by_key(|letter| std::cmp::Reverse((letter.sent_on, letter.id.clone())));
        let page = DeadLetterPage::cut(letters, limit);
        Ok(DeadLetterPage { is_complete: page.is_complete && look.is_complete, ..page })
    }

    async fn redrive(&self, team: TeamId, which: &Redrive) -> Result<Vec<String>, StoreError> {
        let look = self.look(REDRIVING).await?;
        let is_meant = |found: &Found| found.hint.team_id == team && which.means(&found.letter.id);
        let (meant, others): (Vec<_>, Vec<_>) = look.found.into_values().partition(is_meant);
        self.give_back(others.iter()).await;
        let hints: Vec<_> = meant.iter().map(|found| (found.hint.clone(), 0)).collect();
        self.steps.send(&hints).await?;
        self.delete(&meant).await?;
        Ok(meant.into_iter().map(|found| found.letter.id).collect())
    }
}
