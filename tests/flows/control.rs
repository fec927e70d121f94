//! Runs that wait, run others, are decided about, cancelled, retried and replayed: through the API and the deployed workers.

use serde_json::{Value, json};

use crate::support::{
    api::{Answer, Api},
    target::Target,
};

on_each_target![
    items_are_worked_on_once_each_and_keep_their_order,
    a_workflow_runs_another_and_takes_its_result,
    a_person_decides_which_way_a_run_goes,
    a_run_waits_for_a_while,
    nothing_of_a_family_starts_after_its_cancellation,
    a_retry_goes_on_where_the_run_failed,
    a_replay_agrees_with_the_record,
    fifty_effects_in_a_row_come_to_their_end,
];

/// Calls the target for each of the inputs' items.
fn looping(path: &str, max_concurrency: u32) -> Value {
    let url = format!("{{{{ base.params.source }}}}/{path}/{{{{ item }}}}");
    json!({
        "nodes": [{"key": "each", "node_type": "for_each", "metadata": {
            "items": "{{ input.items }}",
            "max_concurrency": max_concurrency,
            "body": [
                {"key": "call", "node_type": "post_api", "metadata": {"url": url}},
                {"key": "keep", "node_type": "map", "metadata": {"mapping": "{{ input.body.path }}"}},
            ],
        }}],
    })
}

async fn items_are_worked_on_once_each_and_keep_their_order(api: Api) {
    let target = Target::start().await;
    let workflow = api.publish("items", &looping("item", 40)).await;
    let items: Vec<_> = (0..120).collect();
    let run = api.start(&workflow, json!({"source": target.url, "items": items})).await;
    let detail = api.ended(&run).await;
    let expected: Vec<_> = items.iter().map(|item| format!("/item/{item}")).collect();
    assert_eq!(detail["result"], json!(expected), "{detail:#}");
    let received = target.received();
    let mut keys: Vec<_> = received.iter().filter_map(|call| call.idempotency_key.clone()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!((received.len(), keys.len()), (120, 120));
    let listed = api.get(&format!("/api/v1/runs?workflow_id={workflow}")).await.expect(200);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "chunks are not listed: {listed:#}");
}

async fn a_workflow_runs_another_and_takes_its_result(api: Api) {
    let target = Target::start().await;
    let child = json!({"nodes": [
        {"key": "fetch", "node_type": "get_api", "metadata": {"url": "{{ input.source }}/orders"}},
        {"key": "count", "node_type": "return", "metadata": {"output": "{{ $count(input.body.orders) }}"}},
    ], "edges": [{"from": "fetch", "to": "count"}]});
    let child = api.publish("child", &child).await;
    let parent = json!({"nodes": [
        {"key": "run", "node_type": "workflow", "metadata": {"workflow_id": child, "input": {"source": "{{ input.source }}"}}},
        {"key": "say", "node_type": "return", "metadata": {"output": "{{ input }} orders"}},
    ], "edges": [{"from": "run", "to": "say"}]});
    let parent = api.publish("parent", &parent).await;
    let run = api.start(&parent, json!({"source": target.url})).await;
    assert_eq!(api.ended(&run).await["result"], "3 orders");
    let listed = api.get(&format!("/api/v1/runs?workflow_id={child}")).await.expect(200);
    assert_eq!(
        (&listed["items"][0]["trigger"], &listed["items"][0]["status"]),
        (&json!("workflow"), &json!("succeeded"))
    );

    let recursive =
        json!({"nodes": [{"key": "run", "node_type": "workflow", "metadata": {"workflow_id": parent}}]});
    api.put(&format!("/api/v1/workflows/{child}/graph"), &recursive).await.expect(200);
    let refused =
        api.post(&format!("/api/v1/workflows/{child}/publish"), &json!({})).await.expect_problem(422);
    assert_eq!(refused["errors"][0]["code"], "recursive_workflow", "{refused:#}");
}

fn asking() -> Value {
    json!({
        "nodes": [
            {"key": "ask", "node_type": "approval", "metadata": {"title": "Ship {{ input.what }}?", "form": {"type": "object", "required": ["why"]}}},
            {"key": "yes", "node_type": "return", "metadata": {"output": "{{ input.form.why }}"}},
            {"key": "no", "node_type": "return", "metadata": {"output": "rejected"}},
        ],
        "edges": [{"from": "ask", "to": "yes", "label": "approved"}, {"from": "ask", "to": "no", "label": "rejected"}],
    })
}

/// Reads the run until a node of it waits.
async fn waiting(api: &Api, run: &str) {
    loop {
        let detail = api.get(&format!("/api/v1/runs/{run}")).await.expect(200);
        if detail["status"] == "waiting" {
            return;
        }
        assert!(matches!(detail["status"].as_str(), Some("pending" | "running")), "{detail:#}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn a_person_decides_which_way_a_run_goes(api: Api) {
    let workflow = api.publish("asking", &asking()).await;
    let run = api.start(&workflow, json!({"what": "it"})).await;
    waiting(&api, &run).await;
    let inbox = api.get(&format!("/api/v1/approvals?workflow_id={workflow}")).await.expect(200);
    let asked = &inbox["items"][0];
    assert_eq!(
        (&asked["run_id"], &asked["node"], &asked["title"]),
        (&json!(run), &json!("ask"), &json!("Ship it?"))
    );
    let path = format!("/api/v1/runs/{run}/approvals/ask");
    let decide = async |body: Value| -> Answer { api.post(&path, &body).await };
    decide(json!({"decision": "approved"})).await.expect_problem(422);
    decide(json!({"decision": "perhaps"})).await.expect_problem(422);
    decide(json!({"decision": "approved", "form": {"why": "it is ready"}})).await.expect(200);
    assert_eq!(api.ended(&run).await["result"], "it is ready");
    let inbox = api.get(&format!("/api/v1/approvals?workflow_id={workflow}")).await.expect(200);
    assert_eq!(inbox["items"], json!([]));
    decide(json!({"decision": "rejected"})).await.expect_problem(409);
    api.post(&format!("/api/v1/runs/{run}/approvals/yes"), &json!({"decision": "approved"}))
        .await
        .expect_problem(404);
}

async fn a_run_waits_for_a_while(api: Api) {
    let graph = json!({"nodes": [
        {"key": "pause", "node_type": "wait", "metadata": {"seconds": 2}},
        {"key": "done", "node_type": "return", "metadata": {"output": "{{ input.n }}"}},
    ], "edges": [{"from": "pause", "to": "done"}]});
    let workflow = api.publish("waiting", &graph).await;
    let run = api.start(&workflow, json!({"n": 7})).await;
    let detail = api.ended(&run).await;
    assert_eq!(detail["result"], 7, "{detail:#}");
    assert!(detail["duration_ms"].as_u64().unwrap() >= 2000, "{detail:#}");
}

async fn nothing_of_a_family_starts_after_its_cancellation(api: Api) {
    let target = Target::start().await;
    let child = api.publish("busy", &looping("hold", 4)).await;
    let parent =
        json!({"nodes": [{"key": "run", "node_type": "workflow", "metadata": {"workflow_id": child}}]});
    let parent = api.publish("family", &parent).await;
    let run = api.start(&parent, json!({"source": target.url, "items": (0..50).collect::<Vec<_>>()})).await;
    target.arrivals(4).await;
    api.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await.expect(200);
    let before = target.received().len();
    target.release();
    let listed = api.get(&format!("/api/v1/runs?workflow_id={child}")).await.expect(200);
    assert_eq!(listed["items"][0]["status"], "cancelled", "the child ended before the answer: {listed:#}");
    assert_eq!(api.ended(&run).await["status"], "cancelled");
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(target.received().len(), before, "nothing started after the answer");
}

async fn a_retry_goes_on_where_the_run_failed(api: Api) {
    let target = Target::start().await;
    let graph = json!({
        "nodes": [
            {"key": "first", "node_type": "post_api", "metadata": {"url": "{{ input.source }}/first"}},
            {"key": "check", "node_type": "advanced", "metadata": {"program": "base.params.ok ? input.body.path : $error('not yet')"}},
            {"key": "last", "node_type": "post_api", "metadata": {"url": "{{ base.params.source }}/last"}},
        ],
        "edges": [{"from": "first", "to": "check"}, {"from": "check", "to": "last"}],
    });
    let workflow = api.publish("retried", &graph).await;
    let run = api.start(&workflow, json!({"source": target.url, "ok": false})).await;
    assert_eq!(api.ended(&run).await["status"], "failed");

    let preview = api.post("/api/v1/runs/retry", &json!({"workflow_id": workflow})).await.expect(200);
    assert_eq!(
        (&preview["confirmed"], &preview["runs"][0]["retry_of"]),
        (&json!(false), &json!(run)),
        "{preview:#}"
    );
    let wish = json!({"inputs": {"source": target.url, "ok": true}});
    let retried = api.post(&format!("/api/v1/runs/{run}/retry"), &wish).await.expect(202);
    let retried = retried["run_id"].as_str().unwrap();
    assert_eq!(api.ended(retried).await["status"], "succeeded");
    let paths: Vec<_> = target.received().into_iter().map(|call| call.path).collect();
    assert_eq!(paths, ["/first", "/last"], "the first call is not repeated");
    api.post(&format!("/api/v1/runs/{retried}/retry"), &json!({})).await.expect_problem(409);
    api.post(&format!("/api/v1/runs/{run}/retry"), &json!({"from": {"node": "gone"}}))
        .await
        .expect_problem(422);
}

async fn a_replay_agrees_with_the_record(api: Api) {
    let target = Target::start().await;
    let mut graph = looping("item", 3);
    let dice = json!({"key": "dice", "node_type": "advanced", "metadata": {"program": "{'n': $random(), 'all': input}"}});
    graph["nodes"].as_array_mut().unwrap().push(dice);
    graph["edges"] = json!([{"from": "each", "to": "dice"}]);
    let workflow = api.publish("replayed", &graph).await;
    let run = api.start(&workflow, json!({"source": target.url, "items": [1, 2, 3]})).await;
    api.ended(&run).await;
    let path = format!("/api/v1/runs/{run}/replay");
    let replayed = api.post(&path, &json!({})).await.expect(200);
    assert_eq!(
        (&replayed["equal"], &replayed["recorded_result"]),
        (&json!(true), &replayed["replayed_result"]),
        "{replayed:#}"
    );
    let what_if = api.post(&path, &json!({"outputs": {"each": ["x"]}})).await.expect(200);
    assert_eq!(
        (&what_if["equal"], &what_if["replayed_result"]["all"]),
        (&json!(false), &json!(["x"])),
        "{what_if:#}"
    );
    assert_eq!(target.received().len(), 3, "nothing was called again");
}

/// Lambda would stop a function that calls itself by its queue after sixteen times; the worker's is told not to.
async fn fifty_effects_in_a_row_come_to_their_end(api: Api) {
    let target = Target::start().await;
    let nodes: Vec<_> = (0..50)
        .map(|n| json!({"key": format!("call_{n}"), "node_type": "post_api", "metadata": {"url": format!("{{{{ base.params.source }}}}/{n}")}}))
        .collect();
    let edges: Vec<_> =
        (1..50).map(|n| json!({"from": format!("call_{}", n - 1), "to": format!("call_{n}")})).collect();
    let workflow = api.publish("fifty", &json!({"nodes": nodes, "edges": edges})).await;
    let run = api.start(&workflow, json!({"source": target.url})).await;
    let detail = api.ended(&run).await;
    assert_eq!(detail["status"], "succeeded", "{detail:#}");
    assert_eq!(target.received().len(), 50);
}
