//! The main road: create, publish, start, read.

use serde_json::{Value, json};

use crate::support::{
    api::{Answer, Api, with_json},
    target::Target,
};

on_each_target![
    a_published_workflow_runs_to_its_result,
    a_run_shows_its_steps_logs_and_place_in_the_list,
    the_same_idempotency_key_gives_the_same_run_and_another_body_is_refused,
    a_cancelled_run_starts_nothing_more,
    a_large_output_passes_through_untouched,
];

/// Fetches orders, keeps the paid ones, totals them and decides.
fn order_graph() -> Value {
    json!({
        "nodes": [
            {"key": "fetch", "node_type": "get_api", "metadata": {"url": "{{ input.source }}/orders"}},
            {"key": "paid", "node_type": "filter",
             "metadata": {"items": "{{ input.body.orders }}", "condition": "{{ item.status = 'paid' }}"}},
            {"key": "totals", "node_type": "map",
             "metadata": {"items": "{{ input }}", "mapping": {"who": "{{ item.customer }}", "total": "{{ item.total }}"}}},
            {"key": "enough", "node_type": "if_else",
             "metadata": {"condition": "{{ $sum(input.total) >= base.params.goal }}"}},
            {"key": "reached", "node_type": "map", "metadata": {"mapping": {"text": "goal reached by {{ $count(input) }}"}}},
            {"key": "missed", "node_type": "map", "metadata": {"mapping": {"text": "goal missed"}}},
            {"key": "either", "node_type": "merge", "metadata": {"mode": "any"}},
            {"key": "answer", "node_type": "return",
             "metadata": {"output": {"message": "{{ input.text }}", "orders": "{{ base.nodes.totals }}"}}},
        ],
        "edges": [
            {"from": "fetch", "to": "paid"}, {"from": "paid", "to": "totals"}, {"from": "totals", "to": "enough"},
            {"from": "enough", "to": "reached", "label": "true"}, {"from": "enough", "to": "missed", "label": "false"},
            {"from": "reached", "to": "either"}, {"from": "missed", "to": "either"}, {"from": "either", "to": "answer"},
        ],
    })
}

async fn a_published_workflow_runs_to_its_result(api: Api) {
    let target = Target::start().await;
    let workflow = api.publish("orders", &order_graph()).await;

    let start = json!({"workflow_id": workflow, "inputs": {"source": target.url, "goal": 150}});
    let request = api.request(reqwest::Method::POST, "/api/v1/runs").header("prefer", "wait=20");
    let finished = Answer::of(with_json(request, &start)).await.expect(200);

    assert_eq!(finished["status"], "succeeded", "{finished:#}");
    let expected = json!({"message": "goal reached by 2",
                          "orders": [{"who": "Ada", "total": 120}, {"who": "Linus", "total": 45}]});
    assert_eq!(finished["result"], expected);
    assert_eq!(target.received().len(), 1);
}

async fn a_run_shows_its_steps_logs_and_place_in_the_list(api: Api) {
    let target = Target::start().await;
    let workflow = api.publish("visible", &order_graph()).await;
    let run = api.start(&workflow, json!({"source": target.url, "goal": 1000})).await;

    let detail = api.ended(&run).await;
    assert_eq!(detail["result"]["message"], "goal missed", "{detail:#}");
    let steps = detail["steps"].as_array().expect("steps");
    let status_of =
        |key: &str| steps.iter().find(|step| step["node"] == key).map(|step| step["status"].clone());
    assert_eq!(status_of("fetch"), Some(json!("succeeded")));
    assert_eq!(status_of("missed"), Some(json!("succeeded")));
    assert_eq!(status_of("reached"), Some(json!("skipped")));

    let logs = api.get(&format!("/api/v1/runs/{run}/logs")).await.expect(200);
    let lines = logs["items"].as_array().expect("lines");
    assert!(
        lines.iter().any(|line| line["node"] == "fetch" && line["message"].as_str().unwrap().contains("200")),
        "{logs:#}"
    );

    let list = api.get(&format!("/api/v1/runs?workflow_id={workflow}")).await.expect(200);
    assert_eq!(list["items"][0]["id"], run, "{list:#}");
}

async fn the_same_idempotency_key_gives_the_same_run_and_another_body_is_refused(api: Api) {
    let target = Target::start().await;
    let workflow = api.publish("once", &order_graph()).await;
    let key = uuid::Uuid::now_v7().to_string();
    let start = async |goal: u32| {
        let body = json!({"workflow_id": workflow, "inputs": {"source": target.url, "goal": goal}});
        let request = api.request(reqwest::Method::POST, "/api/v1/runs").header("idempotency-key", &key);
        Answer::of(with_json(request, &body)).await
    };

    let first = start(1).await.expect(202);
    let again = start(1).await.expect(202);
    assert_eq!(first["run_id"], again["run_id"]);
    start(2).await.expect_problem(422);

    api.ended(first["run_id"].as_str().unwrap()).await;
    assert_eq!(target.received().len(), 1, "one run, one call");
}

async fn a_cancelled_run_starts_nothing_more(api: Api) {
    let target = Target::start().await;
    let graph = json!({
        "nodes": [
            {"key": "first", "node_type": "get_api", "metadata": {"url": "{{ input.source }}/hold/first"}},
            {"key": "second", "node_type": "post_api", "metadata": {"url": "{{ base.params.source }}/second"}},
        ],
        "edges": [{"from": "first", "to": "second"}],
    });
    let workflow = api.publish("cancelled", &graph).await;
    let run = api.start(&workflow, json!({"source": target.url})).await;
    target.arrivals(1).await;

    let cancelled = api.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await;
    assert!(cancelled.status.is_success(), "{:#}", cancelled.body);
    target.release();

    let detail = api.ended(&run).await;
    assert_eq!(detail["status"], "cancelled");
    assert!(target.received().iter().all(|call| call.path != "/second"));
    api.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await.expect_problem(409);
}

async fn a_large_output_passes_through_untouched(api: Api) {
    let graph = json!({
        "nodes": [
            {"key": "grow", "node_type": "advanced", "metadata": {"program": "$map([1..9000], function($n) { {\"n\": $n, \"pad\": \"0123456789012345678901234567890123456789\"} })"}},
            {"key": "shrink", "node_type": "advanced", "metadata": {"program": "{\"count\": $count(input), \"sum\": $sum(input.n)}"}},
        ],
        "edges": [{"from": "grow", "to": "shrink"}],
    });
    let workflow = api.publish("large", &graph).await;
    let run = api.start(&workflow, json!({})).await;
    let detail = api.ended(&run).await;
    assert_eq!(detail["result"], json!({"count": 9000, "sum": 40_504_500}), "{detail:#}");
}
