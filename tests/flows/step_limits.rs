//! A team that may have only so many calls under way, on a process of its own: limits are the team's, and other flows share theirs.

use serde_json::{Value, json};

use crate::support::{api::Api, standalone::Standalone, target::Target};

/// Five calls beside each other, and five for the items of a loop.
fn busy() -> Value {
    let url = |path: &str| format!("{{{{ base.params.source }}}}/hold/{path}");
    let call = |n: i32| {
        let metadata = json!({"url": url(&format!("call/{n}"))});
        json!({"key": format!("call_{n}"), "node_type": "post_api", "metadata": metadata})
    };
    let body = json!([{"key": "call", "node_type": "post_api", "metadata": {"url": url("item/{{ item }}")}}]);
    let each =
        json!({"key": "each", "node_type": "for_each", "metadata": {"items": "{{ [1..5] }}", "body": body}});
    json!({"nodes": (1..=5).map(call).chain([each]).collect::<Vec<_>>()})
}

/// Reads the run until steps of it wait, and answers how many.
async fn steps_waiting(api: &Api, run: &str) -> u64 {
    loop {
        let detail = api.get(&format!("/api/v1/runs/{run}")).await.expect(200);
        assert!(matches!(detail["status"].as_str(), Some("pending" | "running")), "{detail:#}");
        if detail["steps_waiting"].is_object() {
            assert_eq!(detail["steps_waiting"]["limit"], 3, "{detail:#}");
            return detail["steps_waiting"]["count"].as_u64().expect("a number");
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn no_more_calls_of_a_team_are_under_way_than_may_be() {
    let (target, heddle) = (Target::start().await, Standalone::start().await);
    heddle.set_teams(json!({"max_running_steps": 3})).await;
    let api = heddle.api();
    let workflow = api.publish("busy", &busy()).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        runs.push(api.start(&workflow, json!({"source": target.url})).await);
    }
    target.arrivals(3).await;
    let waiting = steps_waiting(&api, &runs[0]).await + steps_waiting(&api, &runs[1]).await;
    assert!(waiting > 0);
    // Long enough for those that wait to look again.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(target.received().len(), 3, "nobody answers, so nothing else begins");
    target.release();
    for run in &runs {
        let detail = api.ended(run).await;
        assert_eq!(detail["status"], "succeeded", "{detail:#}");
        assert_eq!(detail.get("steps_waiting"), None, "{detail:#}");
    }
    let received = target.received();
    let mut keys: Vec<_> = received.iter().filter_map(|call| call.idempotency_key.clone()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!((received.len(), keys.len()), (20, 20), "each call once");
}
