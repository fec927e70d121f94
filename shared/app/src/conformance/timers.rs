//! Rules of timers.

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::Timestamp;
use serde_json::{Value, json};

use crate::{
    ports::{Due, Fired, Name, Timer, Timers},
    recurrence::Recurrence,
};

/// Timers, and what arrives from them.
#[async_trait]
pub trait TimerWorld: Send + Sync {
    /// The timers; no other test has put any.
    fn timers(&self) -> &dyn Timers;

    /// The present, in whole seconds.
    fn now(&self) -> Timestamp;

    /// Lets time pass until `then` at least, and answers what has arrived since the last call, in any order.
    async fn pass_to(&self, then: Timestamp) -> Vec<Fired>;
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Puts a one-time timer.
async fn once(world: &dyn TimerWorld, timer: &str, at: Timestamp, message: Value) {
    let timer = Timer { name: name(timer), due: Due::Once(at), message };
    world.timers().put(&timer).await.unwrap();
}

/// Puts a recurring timer in UTC, with its cron expression as the message.
async fn recurring(world: &dyn TimerWorld, timer: &str, cron: &str) {
    let due = Due::Recurring(Recurrence::parse(cron, "UTC").unwrap());
    world.timers().put(&Timer { name: name(timer), due, message: json!(cron) }).await.unwrap();
}

fn fired(timer: &str, due_on: Timestamp, message: Value) -> Fired {
    Fired { timer: name(timer), due_on, message }
}

const fn seconds(count: i64) -> TimeDelta {
    TimeDelta::seconds(count)
}

pub async fn a_message_arrives_when_it_is_due_and_the_timer_is_gone(world: &dyn TimerWorld) {
    let due_on = world.now() + seconds(2);
    let message =
        json!({"z": [1.0, -0.1, 1e300, null], "a": "ä\u{1F600}\0<aws.scheduler.execution-id>", "": {}});
    once(world, "wait", due_on, message.clone()).await;
    assert_eq!(world.pass_to(due_on).await, [fired("wait", due_on, message)]);
    assert_eq!(world.pass_to(due_on + seconds(2)).await, []);
}

pub async fn nothing_arrives_before_it_is_due(world: &dyn TimerWorld) {
    once(world, "wait", world.now() + seconds(300), json!(1)).await;
    assert_eq!(world.pass_to(world.now()).await, []);
}

pub async fn a_time_that_has_passed_is_due_at_once(world: &dyn TimerWorld) {
    let due_on = world.now() - seconds(3600);
    once(world, "late", due_on, json!(1)).await;
    assert_eq!(world.pass_to(world.now()).await, [fired("late", due_on, json!(1))]);
}

pub async fn putting_again_replaces_the_timer(world: &dyn TimerWorld) {
    let due_on = world.now() + seconds(2);
    once(world, "same", due_on, json!("old")).await;
    once(world, "same", due_on, json!("new")).await;
    once(world, "sooner", due_on + seconds(3600), json!("old")).await;
    once(world, "sooner", due_on, json!("new")).await;
    once(world, "later", due_on, json!("old")).await;
    once(world, "later", due_on + seconds(3600), json!("new")).await;
    once(world, "no_longer_recurring", due_on, json!("old")).await;
    recurring(world, "no_longer_once", "0 0 29 2 *").await;
    once(world, "no_longer_once", due_on, json!("new")).await;
    recurring(world, "no_longer_recurring", "0 0 29 2 *").await;
    let mut arrived = world.pass_to(due_on).await;
    arrived.sort_by_key(|fired| fired.timer.clone());
    let expected = ["no_longer_once", "same", "sooner"].map(|timer| fired(timer, due_on, json!("new")));
    assert_eq!(arrived, expected);
}

pub async fn a_deleted_timer_never_fires(world: &dyn TimerWorld) {
    let due_on = world.now() + seconds(2);
    once(world, "deleted", due_on, json!(1)).await;
    once(world, "kept", due_on, json!(2)).await;
    recurring(world, "also_deleted", "* * * * *").await;
    for gone in ["deleted", "also_deleted", "deleted", "never_there"] {
        world.timers().delete(&name(gone)).await.unwrap();
    }
    assert_eq!(world.pass_to(due_on).await, [fired("kept", due_on, json!(2))]);
}

pub async fn timers_that_are_due_at_once_all_fire(world: &dyn TimerWorld) {
    let due_on = world.now() + seconds(2);
    for number in 0..30 {
        once(world, &format!("wait-{number:02}"), due_on, json!(number)).await;
    }
    let mut arrived = world.pass_to(due_on).await;
    arrived.sort_by_key(|fired| fired.timer.clone());
    let expected: Vec<_> =
        (0..30).map(|number| fired(&format!("wait-{number:02}"), due_on, json!(number))).collect();
    assert_eq!(arrived, expected);
}

/// All rules of one-time timers at once, each in a world of its own: where time can't be moved, they wait together.
pub async fn one_time_timers_keep_all_rules<W: TimerWorld>(world: impl AsyncFn() -> W) {
    futures::join!(
        async { a_message_arrives_when_it_is_due_and_the_timer_is_gone(&world().await).await },
        async { nothing_arrives_before_it_is_due(&world().await).await },
        async { a_time_that_has_passed_is_due_at_once(&world().await).await },
        async { putting_again_replaces_the_timer(&world().await).await },
        async { a_deleted_timer_never_fires(&world().await).await },
        async { timers_that_are_due_at_once_all_fire(&world().await).await },
    );
}

pub async fn a_recurring_timer_fires_at_each_occurrence(world: &dyn TimerWorld) {
    let cron = "*/20 * * * *";
    let recurrence = Recurrence::parse(cron, "UTC").unwrap();
    recurring(world, "tick", cron).await;
    let mut next = recurrence.next_after(world.now()).unwrap();
    for _ in 0..3 {
        assert_eq!(world.pass_to(next - seconds(1)).await, []);
        assert_eq!(world.pass_to(next).await, [fired("tick", next, json!(cron))]);
        next += seconds(20 * 60);
    }
}

pub async fn occurrences_that_were_missed_are_made_up_for_by_one(world: &dyn TimerWorld) {
    let cron = "*/20 * * * *";
    recurring(world, "tick", cron).await;
    let first = Recurrence::parse(cron, "UTC").unwrap().next_after(world.now()).unwrap();
    let late = first + seconds(3 * 3600 + 60);
    assert_eq!(world.pass_to(late).await, [fired("tick", first, json!(cron))]);
    assert_eq!(world.pass_to(late + seconds(18 * 60)).await, []);
    let next = first + seconds(3 * 3600 + 20 * 60);
    assert_eq!(world.pass_to(next).await, [fired("tick", next, json!(cron))]);
}
