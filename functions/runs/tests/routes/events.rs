//! Following runs over HTTP.

use std::time::Duration;

use app::fakes::ScriptedConnectors;
use domain::{ErrorClass, Failure};
use heddle_http::testing::{Answer, call, request, through_api_gateway};
use http::HeaderValue;
use runs::EventStream;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::world::{FOREIGN_KEY, KEY, World, fetching};

/// Answers 503 to the first attempt.
fn flaky() -> ScriptedConnectors {
    ScriptedConnectors::new(|call| match call.attempt {
        1 => Err(Failure::new(ErrorClass::Transient, "http_status", "api.example.com answered 503")),
        _ => Ok(json!({"orders": [1, 2]})),
    })
}

/// A server of one process, and what stops it.
fn live() -> (World, watch::Sender<bool>) {
    let (stop, stopped) = watch::channel(false);
    (World::with(flaky(), EventStream::Live { stop: stopped }), stop)
}

async fn follow(world: &World, run: &str, seen: Option<&str>) -> Answer {
    let mut request = request("GET", &format!("/api/v1/runs/{run}/events"), KEY);
    if let Some(seen) = seen {
        request.headers_mut().insert("last-event-id", HeaderValue::from_str(seen).unwrap());
    }
    call(&world.router, request).await
}

/// What an `EventSource` makes of a stream: each event's id, kind and data (WHATWG HTML, 9.2.6).
fn events(answer: &Answer) -> Vec<(String, String, Value)> {
    assert_eq!((answer.code(), answer.header("content-type")), (200, "text/event-stream"), "{answer:?}");
    let blocks = answer.body.as_str().unwrap().split("\n\n");
    let field = |block: &str, name: &str| {
        let mut lines = block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        lines.next().map(str::to_owned)
    };
    let event = |block: &str| {
        let data = serde_json::from_str(&field(block, "data")?).unwrap();
        Some((field(block, "id").unwrap(), field(block, "event").unwrap(), data))
    };
    blocks.filter_map(event).collect()
}

fn kinds(events: &[(String, String, Value)]) -> Vec<&str> {
    events.iter().map(|(_, kind, _)| kind.as_str()).collect()
}

const ALL: [&str; 9] = [
    "run.accepted",
    "run.started",
    "step.started",
    "step.retrying",
    "step.started",
    "step.succeeded",
    "step.started",
    "step.succeeded",
    "run.succeeded",
];

#[tokio::test(start_paused = true)]
async fn a_stream_tells_everything_as_it_happens_and_ends_with_the_run() {
    let (world, _stop) = live();
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    let worker = async {
        sleep(Duration::from_secs(40)).await;
        world.work().await;
    };
    let (answer, ()) = tokio::join!(follow(&world, &id, None), worker);
    let told = events(&answer);
    assert_eq!(kinds(&told), ALL);
    let timeline = world.get(&format!("runs/{id}")).await.body["timeline"].clone();
    assert_eq!(
        told.iter().map(|(_, _, data)| data.clone()).collect::<Vec<_>>(),
        *timeline.as_array().unwrap()
    );
    assert!(told.iter().all(|(id, kind, data)| data["id"] == **id && data["event"] == **kind));

    let text = answer.body.as_str().unwrap();
    assert!(text.starts_with("retry: 500\n\n"), "{text}");
    assert_eq!(text.lines().filter(|line| *line == ":").count(), 2, "a sign of life every 15 s: {text}");
    assert_eq!(answer.header("x-accel-buffering"), "no");
}

#[tokio::test]
async fn a_client_that_comes_back_gets_exactly_what_it_has_not_seen() {
    for world in [live().0, World::new(flaky())] {
        let version = world.publish(fetching()).await;
        let id = world.start(&version, &json!({})).await;
        world.work().await;
        let all = events(&follow(&world, &id, None).await);
        assert_eq!(kinds(&all), ALL);
        for (place, (seen, ..)) in all.iter().enumerate().take(all.len() - 1) {
            assert_eq!(events(&follow(&world, &id, Some(seen)).await), all[place + 1..], "after {seen}");
        }
        let over = follow(&world, &id, Some(&all[all.len() - 1].0)).await;
        assert_eq!((over.code(), over.body), (204, Value::Null));
    }
}

#[tokio::test]
async fn events_say_what_came_of_a_step() {
    let world = World::new(flaky());
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    world.work().await;
    let all = events(&follow(&world, &id, None).await);
    let retrying = &all[3].2;
    assert_eq!((&retrying["node"], &retrying["attempt"]), (&json!("fetch"), &json!(1)));
    assert_eq!(
        retrying["error"],
        json!({"class": "transient", "code": "http_status", "message": "api.example.com answered 503"})
    );
    assert!(retrying["duration_ms"].is_u64() && retrying.get("retry_on").is_none(), "{retrying}");
    assert!(all[0].2.get("node").is_none(), "what is not there is left out: {}", all[0].2);
}

#[tokio::test(start_paused = true)]
async fn where_nothing_streams_an_answer_comes_with_the_first_news() {
    let world = World::new(flaky());
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    assert_eq!(kinds(&events(&follow(&world, &id, None).await)), ["run.accepted"]);
    let begin = Instant::now();
    let worker = async {
        sleep(Duration::from_secs(7)).await;
        world.work().await;
    };
    let (answer, ()) = tokio::join!(follow(&world, &id, Some("0.1")), worker);
    assert_eq!(kinds(&events(&answer)), ALL[1..]);
    assert!((7..9).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn where_nothing_streams_and_nothing_happens_the_client_is_asked_to_come_back() {
    let world = World::new(flaky());
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    let begin = Instant::now();
    let answer = follow(&world, &id, Some("0.1")).await;
    assert_eq!((events(&answer), answer.body), (vec![], json!("retry: 500\n\n")));
    assert_eq!(begin.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn streams_end_when_the_process_does() {
    let (world, stop) = live();
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    let begin = Instant::now();
    let stopping = async {
        sleep(Duration::from_secs(3)).await;
        stop.send_replace(true);
    };
    let (answer, ()) = tokio::join!(follow(&world, &id, None), stopping);
    assert_eq!(kinds(&events(&answer)), ["run.accepted"]);
    assert_eq!(begin.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn an_id_that_is_none_or_of_another_run_is_refused() {
    let world = World::new(flaky());
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    for seen in ["", "7", "a.b", "1.1", "99.1"] {
        let refused = follow(&world, &id, Some(seen)).await;
        assert_eq!((refused.code(), refused.problem_code().as_str()), (400, "invalid_header"), "{seen:?}");
    }
}

#[tokio::test]
async fn a_foreign_run_can_not_be_followed() {
    let world = World::new(flaky());
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    let foreign =
        call(&world.router, request("GET", &format!("/api/v1/runs/{id}/events"), FOREIGN_KEY)).await;
    assert_eq!((foreign.code(), foreign.problem_code().as_str()), (404, "not_found"));
}

#[tokio::test]
async fn events_pass_api_gateway_as_text() {
    let world = World::new(flaky());
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    let event = include_str!("../../../../events/http-runs-get.json");
    let path = format!("/api/v1/runs/{id}/events");
    let event = event.replace("/api/v1/runs/01961234-5678-7abc-8def-0123456789ab", &path);
    assert!(event.contains(&path), "{event}");
    let answer = through_api_gateway(world.router.clone(), &event).await;
    assert_eq!((&answer["statusCode"], &answer["isBase64Encoded"]), (&json!(200), &json!(false)), "{answer}");
    assert!(answer["body"].as_str().unwrap().contains("event: run.accepted\n"), "{answer}");
}
