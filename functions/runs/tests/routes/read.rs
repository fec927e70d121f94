//! Listing, reading and cancelling runs over HTTP.

use crate::world::{FOREIGN_KEY, World, fetching, returning};
use app::{
    fakes::ScriptedConnectors,
    ports::{Clock as _, SlotWish, Slots, StepSlots as _},
};
use chrono::TimeDelta;
use domain::{ErrorClass, Failure};
use heddle_http::testing::{call, check_openapi, request, through_api_gateway};
use serde_json::{Value, json};

/// Answers 503 to the first attempt.
fn flaky() -> ScriptedConnectors {
    ScriptedConnectors::new(|call| match call.attempt {
        1 => Err(Failure::new(ErrorClass::Transient, "http_status", "api.example.com answered 503")),
        _ => Ok(json!({"orders": [1, 2]})),
    })
}

#[tokio::test]
async fn the_document_and_the_routes_agree() {
    check_openapi(&World::new(ScriptedConnectors::echo()).router, "runs").await;
}

#[tokio::test]
async fn a_run_is_read_with_its_steps_attempts_and_timeline() {
    let world = World::new(flaky());
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({"n": 7})).await;
    world.work().await;
    let run = world.get(&format!("runs/{id}")).await;
    assert_eq!(run.code(), 200);
    let run = run.body;
    assert_eq!((&run["status"], &run["version_number"]), (&json!("succeeded"), &json!(1)));
    assert_eq!((&run["inputs"], &run["result"]), (&json!({"n": 7}), &json!({"orders": [1, 2]})));
    assert_eq!(run["trigger"]["kind"], "api");
    assert!(run["duration_ms"].as_u64().unwrap() > 0);

    let fetch = &run["steps"][0];
    assert_eq!(
        (&fetch["node"], &fetch["name"], &fetch["node_type"]),
        (&json!("fetch"), &json!("Fetch orders"), &json!("get_api"))
    );
    assert_eq!((&fetch["status"], &fetch["attempt"]), (&json!("succeeded"), &json!(2)));
    assert_eq!(fetch["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(fetch["attempts"][0]["error"]["class"], "transient");
    assert_eq!(fetch["attempts"][1]["logs"], json!(["attempt 2"]));
    assert_eq!((&run["usage"]["attempts"], &run["usage"]["retries"]), (&json!(3), &json!(1)));
    assert_eq!(fetch["output"], json!({"orders": [1, 2]}));
    assert_eq!(fetch["error"], Value::Null);
    assert_eq!(run["steps"][1]["name"], "done", "a node without a name shows its key");

    let events: Vec<&str> =
        run["timeline"].as_array().unwrap().iter().map(|e| e["event"].as_str().unwrap()).collect();
    assert_eq!(events[0], "run.accepted");
    assert_eq!(events.last(), Some(&"run.succeeded"));
    let of_fetch: Vec<&str> = run["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["node"] == "fetch")
        .map(|entry| entry["event"].as_str().unwrap())
        .collect();
    assert_eq!(of_fetch, ["step.started", "step.retrying", "step.started", "step.succeeded"]);
    let offsets: Vec<u64> =
        run["timeline"].as_array().unwrap().iter().map(|e| e["offset_ms"].as_u64().unwrap()).collect();
    assert!(offsets.is_sorted(), "{offsets:?}");
}

#[tokio::test]
async fn steps_stand_alone_as_well() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    let before = world.get(&format!("runs/{id}/steps")).await.body;
    assert_eq!(before["items"][0]["status"], "blocked");
    world.work().await;
    let steps = world.get(&format!("runs/{id}/steps")).await.body;
    assert_eq!(steps["items"], world.get(&format!("runs/{id}")).await.body["steps"]);
    assert_eq!(steps["next_cursor"], Value::Null);
}

#[tokio::test]
async fn logs_are_sentences_in_order() {
    let world = World::new(flaky());
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    world.work().await;
    let logs = world.get(&format!("runs/{id}/logs")).await.body;
    let lines: Vec<&str> =
        logs["items"].as_array().unwrap().iter().map(|l| l["message"].as_str().unwrap()).collect();
    assert_eq!(lines[0], "The run was accepted.");
    assert!(
        lines.contains(&"fetch failed and will be tried again: api.example.com answered 503 (http_status)."),
        "{lines:?}"
    );
    assert!(lines.contains(&"fetch started again, attempt 2."), "{lines:?}");
    assert!(lines.contains(&"attempt 2"), "what the connector noted: {lines:?}");
    assert_eq!(lines.last(), Some(&"The run succeeded."));
}

#[tokio::test]
async fn a_failed_run_names_its_node_and_the_rest_never_came_to_its_turn() {
    let world =
        World::new(ScriptedConnectors::new(|_| Err(Failure::new(ErrorClass::Permanent, "refused", "no"))));
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    world.work().await;
    let run = world.get(&format!("runs/{id}")).await.body;
    assert_eq!((&run["status"], &run["error"]["node"]), (&json!("failed"), &json!("fetch")));
    assert_eq!(run["steps"][0]["error"]["code"], "refused");
    assert_ne!(run["steps"][1]["status"], "succeeded");
    let logs = world.get(&format!("runs/{id}/logs")).await.body;
    let last = logs["items"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["level"], &last["message"]),
        (&json!("error"), &json!("The run failed at fetch: no (refused)."))
    );
}

#[tokio::test]
async fn an_output_too_large_for_an_answer_is_named_by_size_and_digest() {
    let world = World::new(ScriptedConnectors::new(|_| Ok(json!("x".repeat(3_000_000)))));
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    world.work().await;
    let run = world.get(&format!("runs/{id}")).await.body;
    assert_eq!(run["result"].as_str().unwrap().len(), 3_000_000);
    assert_eq!(run["steps"][0]["output"]["truncated"], true);
    assert_eq!(run["steps"][0]["output"]["bytes"], 3_000_002);
    assert!(run.to_string().len() < 5_500_000);
}

#[tokio::test]
async fn runs_are_listed_newest_first_page_by_page() {
    let world = World::new(ScriptedConnectors::echo());
    let (one, other) = (world.publish(returning()).await, world.publish(returning()).await);
    let mut ids = Vec::new();
    for version in [&one, &other, &one] {
        ids.insert(0, world.start(version, &json!({})).await);
        world.work().await;
    }
    let first = world.get("runs?limit=2").await.body;
    let next =
        world.get(&format!("runs?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await.body;
    let listed = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!([listed(&first), listed(&next)].concat(), ids);
    assert_eq!(next["next_cursor"], Value::Null);
    let of_other = world.get(&format!("runs?workflow_id={}", other.workflow_id)).await.body;
    assert_eq!(listed(&of_other), [ids[1].clone()]);
    assert_eq!(listed(&world.get("runs?status=succeeded").await.body).len(), 3);
    assert_eq!(listed(&world.get("runs?status=failed").await.body).len(), 0);
}

#[tokio::test]
async fn a_bad_question_is_a_422_that_names_the_parameter() {
    let world = World::new(ScriptedConnectors::echo());
    for (query, pointer) in [
        ("limit=0", "/query/limit"),
        ("status=done", "/query/status"),
        ("workflow_id=x", "/query/workflow_id"),
        ("cursor=forged", "/query/cursor"),
        ("cursor=", "/query/cursor"),
        ("team_id=x", "/query/team_id"),
    ] {
        let problem = world.get(&format!("runs?{query}")).await.problem();
        assert_eq!((problem.status, problem.errors[0].pointer.as_str()), (422, pointer), "{query}");
    }
}

#[tokio::test]
async fn a_run_is_cancelled_once() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish(fetching()).await;
    let id = world.start(&version, &json!({})).await;
    let answer = world.post(&format!("runs/{id}/cancel"), &json!({})).await;
    assert_eq!((answer.code(), &answer.body["status"]), (200, &json!("cancelled")));
    let again = world.post(&format!("runs/{id}/cancel"), &json!({})).await;
    assert_eq!((again.code(), again.problem_code().as_str()), (409, "run_ended"));
    world.work().await;
    let run = world.get(&format!("runs/{id}")).await.body;
    assert_eq!(run["status"], "cancelled");
    assert_eq!(run["steps"][0]["status"], "cancelled");
}

#[tokio::test]
async fn a_foreign_run_does_not_exist_in_any_way() {
    let world = World::new(ScriptedConnectors::echo());
    let version = world.publish(returning()).await;
    let id = world.start(&version, &json!({})).await;
    let paths = [("GET", ""), ("GET", "/steps"), ("GET", "/logs"), ("POST", "/cancel")];
    for (method, below) in paths {
        let foreign = request(method, &format!("/api/v1/runs/{id}{below}"), FOREIGN_KEY);
        let unknown = request(
            method,
            &format!("/api/v1/runs/01961234-5678-7abc-8def-0123456789ab{below}"),
            FOREIGN_KEY,
        );
        let (foreign, unknown) =
            (call(&world.router, foreign).await.problem(), call(&world.router, unknown).await.problem());
        assert_eq!(
            (foreign.status, &foreign.title, &foreign.detail),
            (404, &unknown.title, &unknown.detail),
            "{method} {below}"
        );
    }
    let list = call(&world.router, request("GET", "/api/v1/runs", FOREIGN_KEY)).await;
    assert_eq!(list.body["items"], json!([]));
    assert_eq!(world.get(&format!("runs/{id}")).await.body["status"], "pending", "nothing was cancelled");
}

#[tokio::test]
async fn sample_events_read_runs_through_api_gateway() {
    let world = World::new(ScriptedConnectors::echo());
    let list =
        through_api_gateway(world.router.clone(), include_str!("../../../../events/http-runs-list.json"))
            .await;
    assert_eq!(list["statusCode"], 200, "{list}");
    assert_eq!(list["body"], r#"{"items":[],"next_cursor":null}"#);
    let none =
        through_api_gateway(world.router.clone(), include_str!("../../../../events/http-runs-get.json"))
            .await;
    assert_eq!(
        (&none["statusCode"], &none["headers"]["content-type"]),
        (&json!(404), &json!("application/problem+json"))
    );
    let ready =
        through_api_gateway(world.router.clone(), include_str!("../../../../events/http-health-ready.json"))
            .await;
    assert_eq!(ready["statusCode"], 200, "{ready}");
    let no_key =
        through_api_gateway(world.router.clone(), include_str!("../../../../events/http-no-key.json")).await;
    assert_eq!(no_key["statusCode"], 401, "{no_key}");
}

#[tokio::test]
async fn a_run_that_waits_for_others_of_its_team_says_where_it_stands() {
    let world = World::new(flaky());
    world.limits.put(world.team, 1);
    let version = world.publish(fetching()).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(world.start(&version, &json!({ "n": n })).await);
    }
    let stands = async |id: &String| {
        let run = world.get(&format!("runs/{id}")).await.body;
        (run["status"].clone(), run.get("queue_position").cloned())
    };
    assert_eq!(stands(&ids[0]).await, (json!("pending"), None), "nobody has looked at it");
    // Each is looked at once: the first begins and fails for now, the others wait.
    world.work_once().await;
    assert_eq!(stands(&ids[0]).await, (json!("running"), None));
    assert_eq!(stands(&ids[1]).await, (json!("pending"), Some(json!(1))));
    assert_eq!(stands(&ids[2]).await, (json!("pending"), Some(json!(2))));
    world.post(&format!("runs/{}/cancel", ids[1]), &json!({})).await;
    assert_eq!(stands(&ids[1]).await, (json!("cancelled"), None));
    assert_eq!(stands(&ids[2]).await, (json!("pending"), Some(json!(1))));
    world.work().await;
    for id in [&ids[0], &ids[2]] {
        assert_eq!(stands(id).await, (json!("succeeded"), None));
    }
}

#[tokio::test]
async fn a_run_whose_steps_wait_for_calls_of_its_team_says_how_many() {
    let world = World::new(ScriptedConnectors::echo());
    world.limits.put_steps(world.team, 2);
    let call = |key: &str| json!({"key": key, "node_type": "get_api", "metadata": {"url": "https://api.example.com/"}});
    let metadata = json!({"items": "{{ [1..30] }}", "max_concurrency": 5, "body": [call("fetch")]});
    let each = json!({"key": "each", "node_type": "for_each", "metadata": metadata});
    let version = world.publish(json!({"nodes": [call("one"), call("two"), call("three"), each]})).await;
    let now = world.clock.now();
    let wish = SlotWish { holder: "somebody else".to_owned(), wanted: 2, until: now + TimeDelta::hours(1) };
    assert_eq!(world.admissions.take(world.team, &wish, 2, now).await.unwrap(), Slots::Held(2));
    let id = world.start(&version, &json!({})).await;
    let stands = async || {
        let run = world.get(&format!("runs/{id}")).await.body;
        (run["status"].clone(), run.get("steps_waiting").cloned())
    };
    assert_eq!(stands().await, (json!("pending"), None), "nobody has looked at it");
    world.work_once().await;
    assert_eq!(stands().await, (json!("running"), Some(json!({"count": 3, "limit": 2}))));
    // The loop has begun with five items at a time.
    world.work_once().await;
    assert_eq!(stands().await, (json!("running"), Some(json!({"count": 8, "limit": 2}))));
    world.admissions.give_back(world.team, "somebody else", 2, 0).await.unwrap();
    world.work().await;
    assert_eq!(stands().await, (json!("succeeded"), None));
}
