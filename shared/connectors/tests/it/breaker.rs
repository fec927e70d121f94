//! A circuit breaker before the real connectors.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use app::{
    fakes::{ManualClock, MemoryCounters},
    ports::Connectors as _,
};
use axum::{Router, http::StatusCode, routing::get};
use chrono::TimeDelta;
use connectors::CircuitBreaker;
use serde_json::json;

use crate::support::{AMPLE, Server, call};

#[tokio::test]
async fn a_server_that_keeps_failing_hears_nothing_until_the_cool_off_is_over() {
    let (is_down, heard) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
    let (down, count) = (is_down.clone(), heard.clone());
    let answer = move || async move {
        count.fetch_add(1, Ordering::Relaxed);
        if down.load(Ordering::Relaxed) { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
    };
    let server = Server::start(Router::new().route("/", get(answer))).await;
    let clock = Arc::new(ManualClock::default());
    let counters = Arc::new(MemoryCounters::new(clock.clone()));
    let breaker = CircuitBreaker::new(server.connectors(), counters, clock.clone());
    let fetch = call("get_api", json!({ "url": server.url("/?key=s3cret") }));

    let mut codes = Vec::new();
    for _ in 0..7 {
        codes.push(breaker.execute(&fetch, AMPLE).await.outcome.unwrap_err().code);
    }
    let failed = ["http_status"; 5].into_iter().chain(["circuit_open"; 2]);
    assert!(codes.iter().map(String::as_str).eq(failed), "{codes:?}");
    assert_eq!(heard.load(Ordering::Relaxed), 5);

    is_down.store(false, Ordering::Relaxed);
    clock.advance(TimeDelta::seconds(10));
    for _ in 0..2 {
        assert_eq!(breaker.execute(&fetch, AMPLE).await.outcome.unwrap()["status"], 204);
    }
    assert_eq!(heard.load(Ordering::Relaxed), 7);
}
