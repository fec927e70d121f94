//! A batch of messages, answered message by message.

use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::future::join_all;
use lambda_runtime::LambdaEvent;

use crate::message::{self, Handled, Message};

/// Handles the messages of a batch concurrently and answers with those to deliver again. A message whose handling
/// panics is one of them; it does not disturb the others.
pub async fn each<W>(event: LambdaEvent<SqsEvent>, handle: impl Fn(Message) -> W) -> SqsBatchResponse
where
    W: Future<Output = Handled>,
{
    let LambdaEvent { payload, context } = event;
    let deadline = SystemTime::UNIX_EPOCH + Duration::from_millis(context.deadline);
    let handled = join_all(payload.records.into_iter().map(|record| {
        let message = delivered(record, deadline);
        async {
            let id = message.id.clone();
            (id, message::handle(&context.request_id, message, &handle).await)
        }
    }));
    let mut answer = SqsBatchResponse::default();
    for (id, handled) in handled.await {
        if handled == Handled::Redeliver {
            answer.add_failure(id);
        }
    }
    answer
}

fn delivered(record: SqsMessage, deadline: SystemTime) -> Message {
    let receive_count = record.attributes.get("ApproximateReceiveCount").and_then(|n| n.parse().ok());
    Message {
        id: record.message_id.unwrap_or_default(),
        body: record.body.unwrap_or_default(),
        receive_count: receive_count.unwrap_or(1),
        deadline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope;

    fn batch(bodies: &[&str]) -> LambdaEvent<SqsEvent> {
        let records = bodies.iter().map(|body| {
            serde_json::json!({
                "messageId": format!("id-{body}"), "receiptHandle": "h", "body": body,
                "attributes": {"ApproximateReceiveCount": "2"},
            })
        });
        let event = serde_json::json!({"Records": records.collect::<Vec<_>>()});
        LambdaEvent::new(serde_json::from_value(event).unwrap(), lambda_runtime::Context::default())
    }

    fn failed(answer: &SqsBatchResponse) -> Vec<&str> {
        answer.batch_item_failures.iter().map(|item| item.item_identifier.as_str()).collect()
    }

    #[tokio::test]
    async fn only_messages_that_failed_or_panicked_are_delivered_again() {
        let answer = each(batch(&["a", "b", "c", "d"]), |message| async move {
            assert_eq!(message.receive_count, 2);
            match message.body.as_str() {
                "b" => Handled::Redeliver,
                "c" => panic!("c is bad"),
                _ => Handled::Done,
            }
        })
        .await;
        assert_eq!(failed(&answer), ["id-b", "id-c"]);
    }

    #[tokio::test]
    async fn a_panic_before_the_first_await_fails_its_message_only() {
        let answer = each(batch(&["a", "b"]), |message| {
            assert!(message.body != "a", "a is bad");
            async { Handled::Done }
        })
        .await;
        assert_eq!(failed(&answer), ["id-a"]);
    }

    #[tokio::test]
    async fn each_message_runs_in_its_own_scope() {
        let mut event = batch(&["a"]);
        event.context.request_id = "l1".to_owned();
        let answer = each(event, |_| async {
            assert_eq!(scope::request_id().as_deref(), Some("l1"));
            Handled::Done
        })
        .await;
        assert_eq!(failed(&answer), Vec::<&str>::new());
    }
}
