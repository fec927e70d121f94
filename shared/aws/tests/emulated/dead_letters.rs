//! The dead letters of a queue.

use std::{sync::Arc, time::Duration};

use app::{
    fakes::team,
    ports::{DeadLetterPage, DeadLetters, Delivered, Hint, Redrive, StepInbox, StepQueue, StoreError},
};
use async_trait::async_trait;
use aws::{SqsDeadLetters, SqsStepQueue};
use domain::TeamId;
use test_support::aws::Emulator;

/// A queue from end to end: on SQS these are two.
struct World {
    steps: SqsStepQueue,
    dead: SqsDeadLetters,
    dead_url: String,
    client: aws_sdk_sqs::Client,
}

impl World {
    async fn new() -> Self {
        let emulator = Emulator::connect().await;
        let (url, dead_url) = emulator.impatient_queues().await;
        let steps = SqsStepQueue::new(&emulator.sdk, url);
        let dead = SqsDeadLetters::new(&emulator.sdk, &dead_url, Arc::new(steps.clone()));
        Self { steps, dead, dead_url, client: aws_sdk_sqs::Client::new(&emulator.sdk) }
    }
}

#[async_trait]
impl StepQueue for World {
    async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError> {
        self.steps.send(hints).await
    }
}

#[async_trait]
impl StepInbox for World {
    async fn receive(&self, at_most: u32, patience: Duration) -> Result<Vec<Delivered>, StoreError> {
        self.steps.receive(at_most, patience).await
    }

    async fn done(&self, receipt: &str) -> Result<(), StoreError> {
        self.steps.done(receipt).await
    }

    async fn release(&self, receipt: &str, delay_s: u32) -> Result<(), StoreError> {
        self.steps.release(receipt, delay_s).await
    }
}

#[async_trait]
impl DeadLetters for World {
    async fn list(&self, team: TeamId, limit: u32) -> Result<DeadLetterPage, StoreError> {
        self.dead.list(team, limit).await
    }

    async fn redrive(&self, team: TeamId, which: &Redrive) -> Result<Vec<String>, StoreError> {
        self.dead.redrive(team, which).await
    }
}

app::dead_letters_suite!(World::new());

#[tokio::test]
async fn what_is_no_hint_is_passed_over() {
    let world = World::new().await;
    let odd = world.client.send_message().queue_url(&world.dead_url).message_body("{}");
    odd.send().await.unwrap();
    let page = world.list(team(), 10).await.unwrap();
    assert_eq!((page.items, page.is_complete), (vec![], true));
    assert_eq!(world.redrive(team(), &Redrive::All).await.unwrap(), Vec::<String>::new());
}
