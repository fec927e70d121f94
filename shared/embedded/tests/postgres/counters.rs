//! Counters in Postgres.

use std::{sync::Arc, time::Duration};

use app::{
    fakes::ManualClock,
    ports::{Count, Counters, StoreError},
};
use chrono::TimeDelta;
use domain::Timestamp;
use embedded::EmbeddedCounters;
use test_support::TestDatabase;

/// Counters with the database that they live in.
struct World {
    counters: EmbeddedCounters,
    _database: TestDatabase,
}

#[async_trait::async_trait]
impl Counters for World {
    async fn add(&self, key: &str, n: u32, window: Duration) -> Result<Count, StoreError> {
        self.counters.add(key, n, window).await
    }
}

async fn with_clock() -> (World, Arc<ManualClock>) {
    let database = TestDatabase::create(&embedded::migrator()).await;
    let clock = Arc::new(ManualClock::default());
    let counters = EmbeddedCounters::new(database.pool().clone(), clock.clone());
    (World { counters, _database: database }, clock)
}

app::counters_suite!(with_clock());

#[tokio::test]
async fn counts_of_ended_windows_are_forgotten_and_no_others() {
    let (World { counters, _database }, clock) = with_clock().await;
    let (minute, hour) = (Duration::from_mins(1), Duration::from_hours(1));
    clock.advance_to(Timestamp::from_timestamp(1_800_000_000, 0).unwrap());
    counters.add("a", 1, minute).await.unwrap();
    counters.add("b", 1, minute).await.unwrap();
    counters.add("a", 7, hour).await.unwrap();
    assert_eq!(counters.forget_ended().await.unwrap(), 0);
    clock.advance(TimeDelta::minutes(1));
    counters.add("a", 1, minute).await.unwrap();
    assert_eq!(counters.forget_ended().await.unwrap(), 2);
    assert_eq!(counters.add("a", 0, hour).await.unwrap().count, 7);
    assert_eq!(counters.add("a", 0, minute).await.unwrap().count, 1);
}
