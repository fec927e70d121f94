//! Timers on the emulated EventBridge Scheduler, which looks for due schedules every ten seconds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::SystemTime,
};

use app::{
    conformance::timers::{TimerWorld, one_time_timers_keep_all_rules},
    ports::{Clock, Due, Fired, Name, Timer, Timers},
    recurrence::Recurrence,
};
use async_trait::async_trait;
use aws::{SchedulerTimers, TimerTarget, fired};
use aws_sdk_scheduler::types::ActionAfterCompletion;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use chrono::{DateTime, SubsecRound as _, TimeDelta};
use domain::Timestamp;
use serde_json::json;
use test_support::aws::{Emulator, fresh_name};

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

struct World {
    emulator: Emulator,
    queue: aws_sdk_sqs::Client,
    queue_url: String,
    target: TimerTarget,
    timers: SchedulerTimers,
    sentinels: AtomicU32,
}

impl World {
    async fn new() -> Self {
        let emulator = Emulator::connect().await;
        let queue = aws_sdk_sqs::Client::new(&emulator.sdk);
        let queue_url = emulator.queue().await;
        let arn =
            queue.get_queue_attributes().queue_url(&queue_url).attribute_names(QueueAttributeName::QueueArn);
        let arn =
            arn.send().await.unwrap().attributes.unwrap().remove(&QueueAttributeName::QueueArn).unwrap();
        let group = fresh_name("timers");
        let scheduler = aws_sdk_scheduler::Client::new(&emulator.sdk);
        scheduler.create_schedule_group().name(&group).send().await.unwrap();
        let role_arn = "arn:aws:iam::000000000000:role/timers".to_owned();
        let target = TimerTarget { queue_arn: arn, role_arn, group };
        let timers = SchedulerTimers::new(&emulator.sdk, target.clone(), Arc::new(Wall));
        emulator.requests.forget();
        Self { emulator, queue, queue_url, target, timers, sentinels: AtomicU32::new(0) }
    }

    /// Messages on the queue, taken off it; waits up to `wait_s` seconds for the first.
    async fn receive(&self, wait_s: i32) -> Vec<Fired> {
        let receive = self.queue.receive_message().queue_url(&self.queue_url).max_number_of_messages(10);
        let receive = receive.message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let messages = receive.wait_time_seconds(wait_s).send().await.unwrap().messages.unwrap_or_default();
        let mut arrived = Vec::new();
        for message in messages {
            let sent_at = &message.attributes().unwrap()[&MessageSystemAttributeName::SentTimestamp];
            let sent_on = DateTime::from_timestamp_millis(sent_at.parse().unwrap()).unwrap();
            arrived.push(fired(message.body().unwrap(), sent_on).unwrap());
            let receipt = message.receipt_handle().unwrap();
            self.queue
                .delete_message()
                .queue_url(&self.queue_url)
                .receipt_handle(receipt)
                .send()
                .await
                .unwrap();
        }
        arrived
    }
}

#[async_trait]
impl TimerWorld for World {
    fn timers(&self) -> &dyn Timers {
        &self.timers
    }

    fn now(&self) -> Timestamp {
        Wall.now().trunc_subsecs(0)
    }

    /// Waits for one more timer, due at `then`: the emulator fires what is due in the order in which it was put.
    async fn pass_to(&self, then: Timestamp) -> Vec<Fired> {
        let number = self.sentinels.fetch_add(1, Ordering::Relaxed);
        let sentinel = Name::parse(&format!("sentinel-{number}")).unwrap();
        let timer = Timer { name: sentinel.clone(), due: Due::Once(then), message: json!(null) };
        self.timers.put(&timer).await.unwrap();
        let mut arrived = Vec::new();
        while !arrived.iter().any(|fired: &Fired| fired.timer == sentinel) {
            arrived.extend(self.receive(20).await);
        }
        // What fires in the same look may come a moment after it.
        loop {
            match self.receive(2).await {
                none if none.is_empty() => break,
                more => arrived.extend(more),
            }
        }
        arrived.retain(|fired| fired.timer != sentinel);
        arrived
    }
}

#[tokio::test]
async fn one_time_timers_pass_their_suite() {
    Box::pin(one_time_timers_keep_all_rules(World::new)).await;
}

#[tokio::test]
async fn a_recurring_timer_is_a_schedule_in_its_zone() {
    let world = World::new().await;
    let due = Due::Recurring(Recurrence::parse("30 9 * * MON-FRI", "Europe/Berlin").unwrap());
    let timer = Timer { name: Name::parse("nightly").unwrap(), due, message: json!({"workflow": 7}) };
    world.timers.put(&timer).await.unwrap();

    let scheduler = aws_sdk_scheduler::Client::new(&world.emulator.sdk);
    let get = scheduler.get_schedule().group_name(&world.target.group).name("nightly");
    let schedule = get.send().await.unwrap();
    assert_eq!(schedule.schedule_expression(), Some("cron(30 9 ? * 2-6 *)"));
    assert_eq!(schedule.schedule_expression_timezone(), Some("Europe/Berlin"));
    assert_eq!(schedule.action_after_completion(), Some(&ActionAfterCompletion::Delete));
    let target = schedule.target().unwrap();
    assert_eq!((target.arn(), target.role_arn()), (&*world.target.queue_arn, &*world.target.role_arn));
    let input = r#"{"timer":"nightly","due_on":"<aws.scheduler.scheduled-time>","message":{"workflow":7}}"#;
    assert_eq!(target.input(), Some(input));
}

#[tokio::test]
async fn requests_are_as_few_as_promised() {
    let world = World::new().await;
    let requests = || world.emulator.requests.take().into_iter().collect::<Vec<_>>();
    let count = |method: &str, count: u32| (method.to_owned(), count);
    let due = Due::Once(world.now() + TimeDelta::hours(1));
    let timer = Timer { name: Name::parse("wait").unwrap(), due, message: json!(1) };
    world.timers.put(&timer).await.unwrap();
    assert_eq!(requests(), [count("POST", 1)]);
    world.timers.put(&timer).await.unwrap();
    assert_eq!(requests(), [count("POST", 1), count("PUT", 1)]);
    world.timers.delete(&timer.name).await.unwrap();
    assert_eq!(requests(), [count("DELETE", 1)]);
}

#[tokio::test]
async fn a_timer_whose_answer_was_lost_is_kept_all_the_same() {
    let world = World::new().await;
    let due = Due::Once(world.now() + TimeDelta::hours(1));
    let timer = Timer { name: Name::parse("wait").unwrap(), due, message: json!(1) };
    world.emulator.requests.lose_answer_of("POST");
    world.timers.put(&timer).await.unwrap();
    world.timers.delete(&timer.name).await.unwrap();
    world.emulator.requests.lose_answer_of("DELETE");
    world.timers.delete(&timer.name).await.unwrap();
}
