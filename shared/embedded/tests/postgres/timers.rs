//! Timers in Postgres.

use std::sync::Arc;

use app::{
    conformance::timers::TimerWorld,
    fakes::{ManualClock, MemorySink},
    ports::{Clock, Due, Fired, Name, StoreError, Timer, TimerSink, Timers},
    recurrence::Recurrence,
};
use async_trait::async_trait;
use chrono::TimeDelta;
use domain::Timestamp;
use embedded::EmbeddedTimers;
use serde_json::json;
use test_support::TestDatabase;
use tokio::sync::Notify;

struct World {
    clock: Arc<ManualClock>,
    timers: EmbeddedTimers,
    arrived: MemorySink,
    // Last, so that the database outlives its users.
    database: TestDatabase,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::create(&embedded::migrator()).await;
        let clock = Arc::new(ManualClock::default());
        let timers = EmbeddedTimers::new(database.pool().clone(), clock.clone());
        Self { clock, timers, arrived: MemorySink::default(), database }
    }

    /// Puts a timer with its name as the message.
    async fn put(&self, name: &str, due: Due) {
        let timer = Timer { name: Name::parse(name).unwrap(), due, message: json!(name) };
        self.timers.put(&timer).await.unwrap();
    }

    async fn fire(&self, limit: u32, sink: &dyn TimerSink) -> u32 {
        self.timers.fire_due(limit, sink).await.unwrap()
    }

    /// Whether a statement waits for a lock.
    async fn has_waiting_statement(&self) -> bool {
        let waits = "select exists (select from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock')";
        sqlx::query_scalar(waits).fetch_one(self.database.pool()).await.unwrap()
    }

    /// The names of the timers that arrived since the last call.
    fn arrived(&self) -> Vec<String> {
        self.arrived.take().into_iter().map(|fired| fired.timer.to_string()).collect()
    }
}

#[async_trait]
impl TimerWorld for World {
    fn timers(&self) -> &dyn Timers {
        &self.timers
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn pass_to(&self, then: Timestamp) -> Vec<Fired> {
        self.clock.advance_to(then);
        while self.fire(10, &self.arrived).await == 10 {}
        self.arrived.take()
    }
}

app::timers_suite!(World::new());

/// Refuses the timer of this name and passes on the others.
struct Refusing<'a>(&'static str, &'a MemorySink);

#[async_trait]
impl TimerSink for Refusing<'_> {
    async fn fired(&self, fired: &Fired) -> Result<(), StoreError> {
        if fired.timer.as_str() == self.0 {
            return Err(StoreError::Unavailable { doing: "start a run", cause: "not now".into() });
        }
        self.1.fired(fired).await
    }
}

/// Says that it was given a message, and never takes it over.
#[derive(Default)]
struct Stuck(Notify);

#[async_trait]
impl TimerSink for Stuck {
    async fn fired(&self, _: &Fired) -> Result<(), StoreError> {
        self.0.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_message_that_is_refused_comes_again_later_and_holds_up_no_other() {
    let world = World::new().await;
    let due_on = world.clock.now();
    world.put("refused", Due::Once(due_on)).await;
    world.put("taken", Due::Once(due_on + TimeDelta::seconds(1))).await;
    world.clock.advance(TimeDelta::seconds(1));
    let refusing = Refusing("refused", &world.arrived);
    assert_eq!(world.fire(1, &refusing).await, 1);
    assert_eq!(world.fire(1, &refusing).await, 1);
    assert_eq!(world.fire(1, &refusing).await, 0);
    assert_eq!(world.arrived(), ["taken"]);

    // Refused again and again, it is tried after 1, 2, 4 … and at last 300 seconds.
    for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        world.clock.advance(TimeDelta::seconds(pause - 1));
        assert_eq!(world.fire(1, &refusing).await, 0, "{pause}");
        world.clock.advance(TimeDelta::seconds(1));
        assert_eq!(world.fire(1, &refusing).await, 1, "{pause}");
    }
    world.clock.advance(TimeDelta::seconds(300));
    world.fire(1, &world.arrived).await;
    let expected = Fired { timer: Name::parse("refused").unwrap(), due_on, message: json!("refused") };
    assert_eq!(world.arrived.take(), [expected]);
    assert_eq!(world.fire(1, &world.arrived).await, 0);
}

#[tokio::test]
async fn a_message_whose_process_is_lost_in_the_hand_over_is_delivered_again() {
    let world = World::new().await;
    world.put("once", Due::Once(world.clock.now())).await;
    let stuck = Stuck::default();
    tokio::select! {
        _ = world.timers.fire_due(10, &stuck) => unreachable!("the sink never takes the message over"),
        () = stuck.0.notified() => {}
    }
    // The lost process's transaction ends some time after it.
    while world.fire(10, &world.arrived).await == 0 {}
    assert_eq!(world.arrived(), ["once"]);
    assert_eq!(world.fire(10, &world.arrived).await, 0);
}

#[tokio::test]
async fn a_timer_that_is_being_handed_over_is_left_alone_by_others() {
    let world = World::new().await;
    world.put("a", Due::Once(world.clock.now())).await;
    let stuck = Stuck::default();
    let beside = async {
        stuck.0.notified().await;
        world.put("b", Due::Once(world.clock.now())).await;
        assert_eq!(world.fire(10, &world.arrived).await, 1);
        assert_eq!(world.arrived(), ["b"]);
    };
    tokio::select! {
        _ = world.timers.fire_due(10, &stuck) => unreachable!("the sink never takes the message over"),
        () = beside => {}
    }
}

#[tokio::test]
async fn a_timer_that_is_put_again_while_it_fires_is_kept() {
    /// Takes a message over when it is told to.
    #[derive(Default)]
    struct Slow {
        begun: Notify,
        may_end: Notify,
    }

    #[async_trait]
    impl TimerSink for Slow {
        async fn fired(&self, _: &Fired) -> Result<(), StoreError> {
            self.begun.notify_one();
            self.may_end.notified().await;
            Ok(())
        }
    }

    let world = World::new().await;
    let later = world.clock.now() + TimeDelta::minutes(1);
    world.put("again", Due::Once(world.clock.now())).await;
    let slow = Slow::default();
    let put_again = async {
        slow.begun.notified().await;
        world.put("again", Due::Once(later)).await;
    };
    let end_when_it_waits = async {
        while !world.has_waiting_statement().await {}
        slow.may_end.notify_one();
    };
    tokio::join!(world.fire(10, &slow), put_again, end_when_it_waits);
    world.clock.advance_to(later);
    assert_eq!(world.fire(10, &world.arrived).await, 1);
    assert_eq!(world.arrived.take()[0].due_on, later);
}

#[tokio::test]
async fn a_recurring_timer_keeps_to_the_clocks_of_its_zone() {
    let world = World::new().await;
    // On 29 March 2026 there is no 02:30 in Berlin.
    world.clock.advance_to("2026-03-27T12:00:00Z".parse().unwrap());
    world.put("nightly", Due::Recurring(Recurrence::parse("30 2 * * *", "Europe/Berlin").unwrap())).await;
    let mut due_on = vec![];
    for _ in 0..4 * 24 {
        world.clock.advance(TimeDelta::hours(1));
        world.fire(10, &world.arrived).await;
        due_on.extend(world.arrived.take().into_iter().map(|fired| fired.due_on.to_rfc3339()));
    }
    let expected = ["2026-03-28T01:30:00+00:00", "2026-03-30T00:30:00+00:00", "2026-03-31T00:30:00+00:00"];
    assert_eq!(due_on, expected);
}
