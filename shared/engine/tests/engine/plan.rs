//! Plans against the runs that follow (WF-11, NOD-01): what was foretold as certain comes, and what was counted lies within the bounds.

use engine::{
    Known, NodeState,
    forecast::{Forecast, Limits, Runs},
    plan_workflow,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::drive::{Fixture, fixtures};

#[expect(dead_code, reason = "what the load driver needs of them")]
#[path = "../../../../tests/bench/load/src/workloads/mod.rs"]
mod workloads;

fn plan(fixture: &Fixture, inputs: Option<&Value>) -> Forecast {
    plan_workflow(&fixture.graph(), &Known::inputs(&fixture.input_params), inputs)
        .unwrap_or_else(|violations| panic!("{}: {violations:?}", fixture.name))
}

fn matches(schema: &Value, value: &Value) -> bool {
    jsonschema::is_valid(schema, value)
}

#[test]
fn what_a_plan_says_of_nodes_is_what_they_come_to() {
    let (mut exact, mut shaped) = (0, 0);
    for fixture in fixtures() {
        let ended = fixture.run().unwrap();
        for inputs in [None, Some(&fixture.example.inputs)] {
            let forecast = plan(&fixture, inputs);
            for node in &forecast.nodes {
                let what = format!("{}: {}", fixture.name, node.key);
                assert!(
                    matches(&node.output, &node.example) || node.runs == Runs::Never,
                    "{what}: {node:#?}"
                );
                let Some(state) = ended.world.state(&node.key) else {
                    panic!("{what} was not settled");
                };
                let ran = matches!(state, NodeState::Succeeded { .. } | NodeState::Failed { .. });
                match node.runs {
                    Runs::Always => assert!(ran, "{what}"),
                    Runs::Never => assert!(!ran, "{what}"),
                    Runs::Perhaps => {}
                }
                if let (true, Some(label), NodeState::Succeeded { label: chosen, .. }) =
                    (ran, &node.label, state)
                {
                    assert_eq!(Some(label), chosen.as_ref(), "{what}");
                }
                if let NodeState::Succeeded { .. } = state {
                    let output = ended.world.output(&node.key);
                    assert!(matches(&node.output, output), "{what}: {output} is not {}", node.output);
                    shaped += usize::from(node.output != json!({}));
                    if node.is_exact {
                        assert_eq!(&node.example, output, "{what}");
                        exact += 1;
                    }
                }
            }
            let steps = u64::from(ended.world.run.steps);
            assert!(forecast.bounds.steps.contains(steps), "{}: {steps} {:?}", fixture.name, forecast.bounds);
        }
    }
    assert!(exact > 60 && shaped > 250, "{exact} {shaped}");
}

#[test]
fn the_path_is_known_where_all_that_decides_it_is() {
    let fixture = fixtures().into_iter().find(|fixture| fixture.name == "adult or not").unwrap();
    let runs = |inputs| {
        let forecast = plan(&fixture, inputs);
        let runs: Vec<_> = forecast.nodes.iter().map(|node| (node.key.clone(), node.runs)).collect();
        (runs[1].1, runs[2].1, forecast.nodes[0].label.clone())
    };
    assert_eq!(runs(Some(&fixture.example.inputs)), (Runs::Always, Runs::Never, Some("true".to_owned())));
    assert_eq!(runs(None), (Runs::Perhaps, Runs::Perhaps, None));
}

#[test]
fn a_failure_that_is_sure_is_foretold() {
    let graph = json!({"nodes": [
        {"key": "a", "node_type": "advanced", "metadata": {"program": "input.n + 1"}},
        {"key": "b", "node_type": "return"},
    ], "edges": [{"from": "a", "to": "b"}]});
    let graph = serde_json::from_value(graph).unwrap();
    let forecast = plan_workflow(&graph, &Known::default(), Some(&json!({"n": "x"}))).unwrap();
    assert_eq!(forecast.nodes[0].fails.as_ref().unwrap()["code"], "expression");
    assert_eq!(forecast.nodes[1].runs, Runs::Never);
}

#[test]
fn branches_that_exclude_each_other_are_counted_once() {
    let get = |key: &str| json!({"key": key, "node_type": "get_api", "metadata": {"url": "https://example.com/"}, "retry": {"max_retries": 0}});
    let graph = json!({"nodes": [
        {"key": "if", "node_type": "if_else", "metadata": {"condition": "input.x"}},
        get("a"), get("b"), get("c"),
        {"key": "m", "node_type": "merge", "metadata": {"mode": "any"}}, {"key": "end", "node_type": "return"},
    ], "edges": [
        {"from": "if", "to": "a", "label": "true"}, {"from": "if", "to": "b", "label": "false"}, {"from": "b", "to": "c"},
        {"from": "a", "to": "m"}, {"from": "c", "to": "m"}, {"from": "m", "to": "end"},
    ]});
    let graph = serde_json::from_value(graph).unwrap();
    let forecast = plan_workflow(&graph, &Known::default(), None).unwrap();
    // A call may be lost twice with its worker.
    assert_eq!((forecast.bounds.calls.min, forecast.bounds.calls.max), (1, Some(6)));
    assert_eq!((forecast.bounds.steps.min, forecast.bounds.steps.max), (4, Some(9)));
    let always: Vec<_> = forecast
        .nodes
        .iter()
        .filter(|node| node.runs == Runs::Always)
        .map(|node| node.key.as_str())
        .collect();
    assert_eq!(always, ["if", "m", "end"]);
}

#[derive(Deserialize)]
struct Recorded {
    rows: Vec<Row>,
}

/// What a workload took on the stack, per run and on average.
#[derive(Deserialize)]
struct Row {
    workload: String,
    steps: u64,
    calls: u64,
    messages: f64,
    max_ms: f64,
    price_usd_per_million_steps: f64,
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn what_recorded_runs_took_lies_within_the_bounds() {
    let recorded: Recorded =
        serde_json::from_str(include_str!("../../../../tests/fixtures/recorded/bench-stack.json")).unwrap();
    assert_eq!(recorded.rows.len(), 12);
    for row in recorded.rows {
        let workload = workloads::ALL.iter().find(|workload| workload.name == row.workload).unwrap();
        let graph = serde_json::from_value((workload.graph)()).unwrap();
        let sample = json!({"n": 7, "server": "http://127.0.0.1:1", "trail": []});
        for inputs in [None, Some(&sample)] {
            let bounds = plan_workflow(&graph, &Known::inputs(&Map::new()), inputs).unwrap().bounds;
            let name = &row.workload;
            assert!(bounds.steps.contains(row.steps), "{name}: {} {:?}", row.steps, bounds.steps);
            assert!(bounds.calls.contains(row.calls), "{name}: {} {:?}", row.calls, bounds.calls);
            let within =
                |value: f64, min: f64, max: Option<f64>| min <= value && max.is_some_and(|max| value <= max);
            let max = bounds.messages.max.map(|max| max as f64);
            assert!(within(row.messages, bounds.messages.min as f64, max), "{name}: {:?}", bounds.messages);
            let max = bounds.latency_ms.max.map(|max| max as f64);
            assert!(within(row.max_ms, bounds.latency_ms.min as f64, max), "{name}: {:?}", bounds.latency_ms);
            let price = row.price_usd_per_million_steps * row.steps as f64 / 1e6;
            assert!(
                within(price, bounds.price_usd.min, bounds.price_usd.max),
                "{name}: {price} {:?}",
                bounds.price_usd
            );
            assert!(
                bounds.price_usd.min > price / 4.0,
                "{name}: a bound that says something, {price} {:?}",
                bounds.price_usd
            );
            let most = if name.starts_with("fan") { 20 } else { 1 };
            assert_eq!(bounds.fan_out.max, Some(most), "{name}");
        }
    }
}

#[test]
fn limits_refuse_what_may_exceed_them() {
    let graph = json!({"nodes": [{"key": "each", "node_type": "for_each", "metadata": {"items": "input.people",
        "body": [{"key": "get", "node_type": "get_api", "metadata": {"url": "https://example.com/{{ item.id }}"}}]}}]});
    let graph = serde_json::from_value(graph).unwrap();
    let schema = |most: Value| {
        let mut people = json!({"type": "array", "items": {"type": "object"}});
        if !most.is_null() {
            people["maxItems"] = most;
        }
        json!({"type": "object", "properties": {"people": people}, "required": ["people"]})
            .as_object()
            .unwrap()
            .clone()
    };
    let limits: Limits = serde_json::from_value(json!({"max_fan_out": 50, "max_price_usd": 0.01})).unwrap();
    let refused = |most: Value| -> Vec<String> {
        let forecast = plan_workflow(&graph, &Known::inputs(&schema(most)), None).unwrap();
        limits.violations(&forecast).into_iter().map(|violation| violation.pointer).collect()
    };
    assert_eq!(refused(json!(null)), ["/settings/max_fan_out", "/settings/max_price_usd"]);
    assert_eq!(refused(json!(50)), ["/settings/max_price_usd"]);
    assert_eq!(refused(json!(2)), [""; 0]);
    let people = json!({"people": [{"id": 1}, {"id": 2}, {"id": 3}]});
    let forecast = plan_workflow(&graph, &Known::default(), Some(&people)).unwrap();
    assert_eq!((forecast.nodes[0].items.unwrap().min, forecast.bounds.fan_out.max), (3, Some(3)));
    assert_eq!(forecast.bounds.steps.min, 4);
    let one_step: Limits = serde_json::from_value(json!({"max_steps": 3})).unwrap();
    assert_eq!(one_step.violations(&forecast)[0].pointer, "/settings/max_steps");
}
