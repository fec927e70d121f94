//! The adapters on the emulated AWS.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

use std::collections::BTreeSet;

use app::{
    fakes::team,
    ports::{Hint, StepQueue, StoreError},
};
use aws::{Secrets, SqsStepQueue, SqsStepQueues, StepQueueUrls};
use aws_sdk_sqs::types::MessageSystemAttributeName;
use domain::{Priority, RunId};
use test_support::aws::{Emulator, fresh_name};

#[path = "emulated/dead_letters.rs"]
mod dead_letters;
#[path = "emulated/mail.rs"]
mod mail;
#[path = "emulated/secrets.rs"]
mod secrets;
#[path = "emulated/timers.rs"]
mod timers;

mod blobs {
    use super::Emulator;

    async fn in_a_bucket() -> blobs::ObjectBlobs {
        let emulator = Emulator::connect().await;
        aws::s3_blobs(&emulator.sdk, &emulator.bucket()).expect("a bucket")
    }

    app::blobs_suite!(in_a_bucket());
    app::exports_suite!(in_a_bucket());
}

mod step_queue {
    use super::{Emulator, SqsStepQueue};

    async fn on_sqs() -> SqsStepQueue {
        let emulator = Emulator::connect().await;
        SqsStepQueue::new(&emulator.sdk, emulator.impatient_queues().await.0)
    }

    app::step_queue_suite!(on_sqs());
}

mod step_queues {
    use std::time::Duration;

    use app::ports::{Delivered, Hint, StepInbox, StepQueue, StoreError};
    use async_trait::async_trait;

    use super::{Emulator, SqsStepQueue, SqsStepQueues, StepQueueUrls};

    /// The queues with a worker that looks into each of them; Lambda has workers for each.
    struct World {
        queues: SqsStepQueues,
        of_each: [SqsStepQueue; 3],
    }

    #[async_trait]
    impl StepQueue for World {
        async fn send(&self, hints: &[(Hint, u32)]) -> Result<(), StoreError> {
            self.queues.send(hints).await
        }
    }

    #[async_trait]
    impl StepInbox for World {
        async fn receive(&self, at_most: u32, patience: Duration) -> Result<Vec<Delivered>, StoreError> {
            let end = std::time::Instant::now() + patience;
            loop {
                for (number, queue) in self.of_each.iter().enumerate() {
                    let mut received = queue.receive(at_most, Duration::ZERO).await?;
                    if !received.is_empty() || (number == 2 && std::time::Instant::now() >= end) {
                        for message in &mut received {
                            message.receipt = format!("{number} {}", message.receipt);
                        }
                        return Ok(received);
                    }
                }
            }
        }

        async fn done(&self, receipt: &str) -> Result<(), StoreError> {
            let (queue, receipt) = self.of(receipt);
            queue.done(receipt).await
        }

        async fn release(&self, receipt: &str, delay_s: u32) -> Result<(), StoreError> {
            let (queue, receipt) = self.of(receipt);
            queue.release(receipt, delay_s).await
        }
    }

    impl World {
        fn of<'a>(&self, receipt: &'a str) -> (&SqsStepQueue, &'a str) {
            let (number, receipt) = receipt.split_once(' ').unwrap();
            (&self.of_each[number.parse::<usize>().unwrap()], receipt)
        }
    }

    async fn on_sqs() -> World {
        let emulator = Emulator::connect().await;
        let mut urls = Vec::new();
        for _ in 0..3 {
            urls.push(emulator.impatient_queues().await.0);
        }
        let [high, default, low] = <[String; 3]>::try_from(urls).unwrap();
        let of_each = [&high, &default, &low].map(|url| SqsStepQueue::new(&emulator.sdk, url));
        World { queues: SqsStepQueues::new(&emulator.sdk, StepQueueUrls { high, default, low }), of_each }
    }

    app::step_queue_suite!(on_sqs());

    #[tokio::test]
    async fn each_class_has_a_queue_of_its_own() {
        let world = on_sqs().await;
        let sent = super::Priority::ALL.map(|priority| (Hint { priority, ..super::hint("a") }, 0));
        world.send(&sent).await.unwrap();
        for (queue, (hint, _)) in world.of_each.iter().zip(&sent) {
            let received = queue.receive(10, Duration::from_secs(10)).await.unwrap();
            assert_eq!(received.iter().map(|m| &m.hint).collect::<Vec<_>>(), [hint]);
        }
    }
}

fn hint(node: &str) -> Hint {
    Hint {
        run_id: RunId::new(team().uuid()),
        team_id: team(),
        node: Some(node.into()),
        priority: Priority::Default,
    }
}

#[tokio::test]
async fn every_hint_arrives_grouped_by_its_team() {
    let emulator = Emulator::connect().await;
    let url = emulator.queue().await;
    let sent: Vec<_> = (0..23).map(|n| (hint(&format!("n{n}")), 0)).collect();
    SqsStepQueue::new(&emulator.sdk, &url).send(&sent).await.unwrap();
    assert_eq!(emulator.requests.take()["SendMessageBatch"], 3, "ten at a time");

    let client = aws_sdk_sqs::Client::new(&emulator.sdk);
    let mut received = BTreeSet::new();
    while received.len() < sent.len() {
        let receive =
            client.receive_message().queue_url(&url).max_number_of_messages(10).wait_time_seconds(2);
        let receive = receive.message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
        for message in receive.send().await.unwrap().messages.expect("all were sent") {
            let hint: Hint = serde_json::from_str(message.body().unwrap()).unwrap();
            let group = &message.attributes().unwrap()[&MessageSystemAttributeName::MessageGroupId];
            assert_eq!(*group, hint.team_id.to_string());
            assert!(sent.iter().any(|(sent, _)| *sent == hint));
            received.insert(hint.node);
        }
    }
}

#[tokio::test]
async fn a_delayed_hint_does_not_arrive_at_once() {
    let emulator = Emulator::connect().await;
    let url = emulator.queue().await;
    let queue = SqsStepQueue::new(&emulator.sdk, &url);
    queue.send(&[(hint("late"), 900), (hint("later_than_possible"), 100_000)]).await.unwrap();
    let client = aws_sdk_sqs::Client::new(&emulator.sdk);
    let received = client.receive_message().queue_url(&url).send().await.unwrap();
    assert!(received.messages().is_empty());
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_unavailable() {
    let emulator = Emulator::connect().await;
    let url = format!("{}-gone", emulator.queue().await);
    let answer = SqsStepQueue::new(&emulator.sdk, url).send(&[(hint("a"), 0)]).await;
    assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
}

#[tokio::test]
async fn a_secret_is_read_once() {
    let emulator = Emulator::connect().await;
    let name = fresh_name("secret");
    let client = aws_sdk_secretsmanager::Client::new(&emulator.sdk);
    let created = client.create_secret().name(&name).secret_string("s3cret").send().await.unwrap();
    emulator.requests.forget();

    let secrets = Secrets::new(&emulator.sdk);
    let arn = created.arn().unwrap();
    let (first, second) = tokio::join!(secrets.secret_string(arn), secrets.secret_string(arn));
    assert_eq!((&*first.unwrap(), &*second.unwrap()), ("s3cret", "s3cret"));
    assert_eq!(emulator.requests.take()["GetSecretValue"], 1);

    let missing = secrets.secret_string(&format!("{name}-none")).await;
    assert!(matches!(missing, Err(StoreError::NotFound)), "{missing:?}");
}
