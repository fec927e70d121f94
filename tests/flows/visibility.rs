//! What people see of a run: its events as they happen, where it is found, what was remarked on it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{api::Api, target::Target};

on_each_target![
    a_client_that_comes_back_for_more_sees_every_event_once,
    a_run_is_found_by_what_is_known_of_it,
    dead_letters_are_asked_for_and_nothing_is_lost_by_it,
];

/// Calls the target's path and returns what it answered.
fn one_call(path: &str) -> Value {
    json!({
        "nodes": [
            {"key": "call", "node_type": "get_api", "metadata": {"url": format!("{{{{ input.source }}}}{path}")}},
            {"key": "answer", "node_type": "return", "metadata": {"output": "{{ input.status }}"}},
        ],
        "edges": [{"from": "call", "to": "answer"}],
    })
}

/// Follows a run as `EventSource` does, over as many answers as it takes: id and data of each event, until the run's 204.
async fn followed(api: &Api, run: &str) -> Vec<(String, Value)> {
    let mut events: Vec<(String, Value)> = Vec::new();
    loop {
        let mut request = api.request(Method::GET, &format!("/api/v1/runs/{run}/events"));
        if let Some((last, _)) = events.last() {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.expect("an answer");
        if answer.status() == 204 {
            return events;
        }
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        let text = answer.text().await.expect("a body");
        for block in text.split("\n\n") {
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            if let Some((id, data)) = field("id: ").zip(field("data: ")) {
                events.push((id, serde_json::from_str(&data).expect("JSON")));
            }
        }
    }
}

async fn a_client_that_comes_back_for_more_sees_every_event_once(api: Api) {
    let target = Target::start().await;
    let workflow = api.publish("followed", &one_call("/hold/it")).await;
    let run = api.start(&workflow, json!({"source": target.url})).await;
    let releasing = async {
        target.arrivals(1).await;
        target.release();
    };
    let (events, ()) = tokio::join!(followed(&api, &run), releasing);
    let kinds: Vec<_> = events.iter().map(|(_, data)| data["event"].as_str().unwrap()).collect();
    let expected = [
        "run.accepted",
        "run.started",
        "step.started",
        "step.succeeded",
        "step.started",
        "step.succeeded",
        "run.succeeded",
    ];
    assert_eq!(kinds, expected);
    let detail = api.get(&format!("/api/v1/runs/{run}")).await.expect(200);
    let told: Vec<_> = events.into_iter().map(|(_, data)| data).collect();
    assert_eq!(Value::from(told), detail["timeline"], "the timeline tells the same");
}

async fn a_run_is_found_by_what_is_known_of_it(api: Api) {
    let target = Target::start().await;
    let name = format!("found {}", uuid::Uuid::now_v7());
    let workflow = api.publish(&name, &one_call("/orders")).await;
    let run = api.start(&workflow, json!({"source": target.url})).await;
    api.ended(&run).await;
    let refused = api.start(&workflow, json!({"source": "http://10.11.12.13"})).await;
    assert_eq!(api.ended(&refused).await["status"], "failed");

    let found = async |query: &str| -> Vec<Value> {
        let page = api.get(&format!("/api/v1/runs?{query}")).await.expect(200);
        page["items"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect()
    };
    let by_name = name.replace(' ', "%20").to_uppercase();
    assert_eq!(found(&format!("search={by_name}")).await, [json!(refused), json!(run)]);
    assert_eq!(found(&format!("search={by_name}&status=succeeded,waiting")).await, [json!(run)]);
    assert_eq!(found(&format!("search={run}")).await, [json!(run)]);
    let listed = api.get(&format!("/api/v1/runs?workflow_id={workflow}&status=failed")).await.expect(200);
    let failed = &listed["items"][0];
    assert_eq!((&failed["id"], &failed["workflow_name"]), (&json!(refused), &json!(name)));
    let code = failed["error"]["code"].as_str().unwrap();
    assert_eq!(found(&format!("workflow_id={workflow}&search={code}")).await, [json!(refused)]);

    let path = format!("/api/v1/runs/{refused}/annotations");
    let remark =
        api.post(&path, &json!({"text": "The address was wrong.", "node": "call"})).await.expect(201);
    let detail = api.get(&format!("/api/v1/runs/{refused}")).await.expect(200);
    assert_eq!(detail["annotations"], json!([remark]));
}

async fn dead_letters_are_asked_for_and_nothing_is_lost_by_it(api: Api) {
    let letters = api.get("/api/v1/dead-letters").await.expect(200);
    assert!(letters["items"].is_array() && letters["is_complete"].is_boolean(), "{letters:#}");
    let nobody = "01961234-5678-7abc-8def-0123456789ab";
    let redriven = api.post("/api/v1/dead-letters/redrive", &json!({"ids": [nobody]})).await.expect(200);
    assert_eq!(redriven, json!({"redriven": [], "not_found": [nobody]}));
    api.post("/api/v1/dead-letters/redrive", &json!({})).await.expect_problem(422);
}
