//! One turn of maintenance, on fakes.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

use std::sync::Arc;

use app::{
    fakes::{ManualClock, MemoryQueue, MemoryRunStore, a_run, team},
    ports::{Clock as _, Hint, RunStore as _},
};
use chrono::TimeDelta;
use maintenance::{Kept, State, handle};
use serde_json::json;

#[tokio::test]
async fn a_run_that_nobody_looks_after_gets_one_hint_and_others_none() {
    let (store, queue) = (Arc::new(MemoryRunStore::default()), Arc::new(MemoryQueue::default()));
    let clock = Arc::new(ManualClock::default());
    let state = State { store: store.clone(), queue: queue.clone(), clock: clock.clone() };
    assert_eq!(handle(&state).await.unwrap(), Kept { reminded: 0 });

    let lost = a_run(team(), clock.now() - TimeDelta::minutes(5));
    let fresh = a_run(team(), clock.now());
    for run in [&lost, &fresh] {
        store.create(run, &json!({}), None).await.unwrap();
    }
    assert_eq!(handle(&state).await.unwrap(), Kept { reminded: 1 });
    assert_eq!(queue.take(), [(Hint::at(&lost), 0)]);
}
