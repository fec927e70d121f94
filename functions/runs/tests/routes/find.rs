//! Finding runs over HTTP.

use app::fakes::ScriptedConnectors;
use domain::{ErrorClass, Failure};
use serde_json::{Value, json};

use crate::world::{World, fetching, returning};

/// Refuses every call.
fn refusing() -> ScriptedConnectors {
    let message = format!("api.example.com answered 404 {}", "x".repeat(300));
    ScriptedConnectors::new(move |_| Err(Failure::new(ErrorClass::Permanent, "http_status", message.clone())))
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_list_shows_what_a_run_is_of_and_why_it_failed() {
    let world = World::new(refusing());
    let version = world.publish(fetching()).await;
    world.start(&version, &json!({})).await;
    world.work().await;
    let run = world.get("runs").await.body["items"][0].clone();
    assert_eq!((&run["status"], &run["trigger"]), (&json!("failed"), &json!("api")));
    assert_eq!(run["workflow_name"], version.workflow_name);
    assert_eq!((&run["error"]["class"], &run["error"]["code"]), (&json!("permanent"), &json!("http_status")));
    assert_eq!(run["error"]["message"].as_str().unwrap().len(), 200);
    assert!(run["duration_ms"].is_u64());
}

#[tokio::test]
async fn runs_are_found_by_status_trigger_time_and_text() {
    let world = World::new(refusing());
    let (failing, other) = (
        world.publish(fetching()).await,
        world
            .publish_with(returning(), |version| {
                version.workflow_name = "Import Invoices".to_owned();
            })
            .await,
    );
    let first = world.start(&failing, &json!({})).await;
    world.work().await;
    let second = world.start(&other, &json!({})).await;
    world.work().await;
    let third = world.start(&other, &json!({})).await;
    let created = |id: &str, runs: &Value| {
        let items = runs["items"].as_array().unwrap().clone();
        items.into_iter().find(|run| run["id"] == id).unwrap()["created_on"].as_str().unwrap().to_owned()
    };
    let all = world.get("runs").await.body;
    let (of_first, of_second) = (created(&first, &all), created(&second, &all));
    for (query, expected) in [
        ("status=failed".to_owned(), vec![&first]),
        ("status=failed,pending".to_owned(), vec![&third, &first]),
        ("trigger=api".to_owned(), vec![&third, &second, &first]),
        ("trigger=schedule".to_owned(), vec![]),
        (format!("from={of_first}&to={of_second}"), vec![&first]),
        (format!("from={of_second}"), vec![&third, &second]),
        ("search=HTTP_STATUS".to_owned(), vec![&first]),
        ("search=answered%20404".to_owned(), vec![&first]),
        ("search=%20invoices%20".to_owned(), vec![&third, &second]),
        (format!("search={third}"), vec![&third]),
        ("search=nothing%20like%20it".to_owned(), vec![]),
        (format!("search=invoices&status=succeeded&workflow_id={}", other.workflow_id), vec![&second]),
    ] {
        let page = world.get(&format!("runs?{query}")).await.body;
        assert_eq!(ids(&page), expected, "{query}: {page}");
    }
}

#[tokio::test]
async fn a_filter_that_can_not_be_is_a_422_that_names_the_parameters() {
    let world = World::new(refusing());
    for (query, pointers) in [
        ("status=", vec!["/query/status"]),
        ("status=failed,done", vec!["/query/status"]),
        ("trigger=magic", vec!["/query/trigger"]),
        ("from=yesterday", vec!["/query/from"]),
        ("search=", vec!["/query/search"]),
        ("search=%20", vec!["/query/search"]),
        ("search=%00", vec!["/query"]),
        ("from=2026-02-02T00:00:00Z&to=2026-02-01T00:00:00Z", vec!["/query/to"]),
        ("from=2026-02-02T00:00:00Z&to=2026-02-01T00:00:00Z&search=", vec!["/query/to", "/query/search"]),
    ] {
        let problem = world.get(&format!("runs?{query}")).await.problem();
        let named: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!((problem.status, named), (422, pointers), "{query}");
    }
    let long = format!("runs?search={}", "ä".repeat(101).replace('ä', "%C3%A4"));
    assert_eq!(world.get(&long).await.problem().errors[0].pointer, "/query/search");
}
