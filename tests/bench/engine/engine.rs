//! The engine's hot paths (engine.md, Cost and speed to reach): `cargo bench -p engine-bench`, or `make bench`.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use domain::{
    Graph, Priority, RunId, RunSettings, TeamId, Timestamp, Trigger, TriggerKind, VersionId, WorkflowId,
    WorkflowVersion, graph::MAX_NODES,
};
use engine::{
    Event, Known, Moment, NewRun, Plan, Run, Settled, Turn, Values, advance, check_shapes, compile,
    expr::{Entropy, Scope, Template},
    plan_workflow, validate,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const NODES: usize = 50;

/// A chain of nodes.
fn version(node: impl Fn(usize) -> Value) -> Arc<WorkflowVersion> {
    let nodes: Vec<_> = (0..NODES)
        .map(|n| {
            let mut node = node(n);
            node["key"] = json!(format!("node_{n}"));
            node
        })
        .collect();
    let edges: Vec<_> =
        (1..NODES).map(|n| json!({"from": format!("node_{}", n - 1), "to": format!("node_{n}")})).collect();
    let graph = serde_json::from_value(json!({"nodes": nodes, "edges": edges}));
    Arc::new(WorkflowVersion {
        id: VersionId::new(Uuid::from_u128(3)),
        team_id: TeamId::new(Uuid::from_u128(1)),
        workflow_id: WorkflowId::new(Uuid::from_u128(2)),
        workflow_name: "bench".to_owned(),
        number: 1,
        graph: graph.expect("the bench's graph has the form of one"),
        input_params: Map::new(),
        is_api: true,
        settings: RunSettings::default(),
        uses: Vec::new(),
        experts: Vec::new(),
        created_on: Timestamp::UNIX_EPOCH,
    })
}

/// A data step that builds an object of two expressions.
fn map(_: usize) -> Value {
    json!({"node_type": "map", "metadata": {"mapping": {"n": "{{ input.n + 1 }}", "label": "step {{ input.n }}"}}})
}

/// A request.
fn get(_: usize) -> Value {
    json!({"node_type": "get_api", "metadata": {"url": "https://api.example.com/{{ base.params.n }}"}})
}

fn started() -> Run {
    Run::start(NewRun {
        id: RunId::new(Uuid::from_u128(4)),
        team_id: TeamId::new(Uuid::from_u128(1)),
        workflow_id: WorkflowId::new(Uuid::from_u128(2)),
        version_id: VersionId::new(Uuid::from_u128(3)),
        trigger: Trigger { kind: TriggerKind::Api, by: None },
        priority: Priority::Default,
        created_on: Timestamp::UNIX_EPOCH,
    })
}

fn moment() -> Moment {
    let turn = Turn { node: None, lease_until: Timestamp::MAX_UTC, max_timeout_s: 900, at_most: 1 };
    Moment { now: Timestamp::UNIX_EPOCH, jitter: 0.5, turn: Some(turn) }
}

/// A chain of requests of which half are answered, and the answer that comes next.
fn half_way(plan: &Plan, inputs: &Value) -> (Run, Values, Event) {
    let (mut run, mut event) = (started(), Event::Woken);
    let mut values = Values { inputs: Arc::new(inputs.clone()), ..Values::default() };
    for _ in 0..=NODES / 2 {
        let mut decision = advance(plan, &run, &values, event, &moment()).expect("the run goes on");
        for record in decision.records {
            values.outputs.insert(record.node, record.output.expect("an output"));
        }
        run = decision.run.expect("a commit");
        let call = decision.calls.pop().expect("the next request");
        let outcome = Ok(json!({"status": 200, "headers": {}, "body": {"n": 1}}).into());
        event = Event::Settled(vec![Settled {
            node: call.node,
            attempt: call.attempt,
            outcome,
            notes: Vec::new(),
        }]);
    }
    (run, values, event)
}

fn hot_paths(criterion: &mut Criterion) {
    let inputs = json!({"n": 1, "customer": {"orders": [{"id": 1, "total": 5}, {"id": 2, "total": 7}]}});

    let version_of_maps = version(map);
    criterion.bench_function("compile 50 nodes with 100 expressions", |bencher| {
        bencher.iter(|| compile(black_box(Arc::clone(&version_of_maps))));
    });

    let plan = compile(version(map)).expect("it compiles");
    let values = Values { inputs: Arc::new(inputs.clone()), ..Values::default() };
    let (run, moment) = (started(), moment());
    criterion.bench_function("advance through 50 data steps in a row", |bencher| {
        bencher.iter(|| advance(&plan, black_box(&run), &values, Event::Woken, &moment));
    });

    let plan = compile(version(get)).expect("it compiles");
    let (run, values, event) = half_way(&plan, &inputs);
    criterion.bench_function("advance a run of 50 nodes by one answer", |bencher| {
        bencher.iter(|| advance(&plan, black_box(&run), &values, event.clone(), &moment));
    });

    let template = Template::parse("{{ input.customer.orders[*].id }}").expect("a template");
    let (base, entropy) = (json!({}), Entropy { now: Timestamp::UNIX_EPOCH, seed: [7; 32] });
    criterion.bench_function("render a template", |bencher| {
        bencher.iter(|| {
            let scope = Scope::new(Some(&inputs), &base, entropy.clone());
            template.render(black_box(&scope)).expect("a value")
        });
    });
}

/// The largest draft: requests with typed answers, data steps that read them, and a branch every ten nodes.
fn large_draft() -> Graph {
    let node = |n: usize| match n % 10 {
        0 => {
            json!({"node_type": "get_api", "metadata": {"url": "https://api.example.com/{{ base.params.n }}"},
            "structured_output": {"status": 200, "body": {"n": 1, "customer": {"orders": [{"id": 1, "total": 5}]}}}})
        }
        1 => {
            json!({"node_type": "filter", "metadata": {"items": "{{ input.body.customer.orders }}", "condition": "{{ item.total > $base.params.n }}"}})
        }
        2 => {
            json!({"node_type": "map", "metadata": {"mapping": {"n": "{{ $sum(input.total) }}", "label": "{{ $count(input) }} orders"}}})
        }
        3 => {
            json!({"node_type": "if_else", "metadata": {"condition": "{{ input.n > 10 and input.label != '' }}"}})
        }
        _ => map(n),
    };
    let nodes: Vec<_> = (0..MAX_NODES)
        .map(|n| {
            let mut node = node(n);
            node["key"] = json!(format!("node_{n}"));
            node
        })
        .collect();
    let edge = |n: usize| {
        let mut edge = json!({"from": format!("node_{}", n - 1), "to": format!("node_{n}")});
        if n % 10 == 4 {
            edge["label"] = json!("true");
        }
        edge
    };
    let edges: Vec<_> = (1..MAX_NODES).map(edge).collect();
    serde_json::from_value(json!({"nodes": nodes, "edges": edges}))
        .expect("the bench's graph has the form of one")
}

/// A draft of 500 nodes is validated and planned in less than 100 ms each.
fn drafts(criterion: &mut Criterion) {
    let graph = large_draft();
    let schema = json!({"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]});
    let Value::Object(schema) = schema else { unreachable!("an object") };
    let known = Known::inputs(&schema);
    let mut group = criterion.benchmark_group("a draft of 500 nodes");
    group.sample_size(20);
    group.bench_function("validate", |bencher| {
        bencher.iter(|| {
            let mut violations = validate(black_box(&graph));
            violations.extend(check_shapes(&graph, &known));
            assert_eq!(violations, []);
        });
    });
    group.bench_function("plan over its schema", |bencher| {
        bencher.iter(|| plan_workflow(black_box(&graph), &known, None).expect("a plan"));
    });
    let inputs = json!({"n": 1});
    group.bench_function("plan over sample inputs", |bencher| {
        bencher.iter(|| plan_workflow(black_box(&graph), &known, Some(&inputs)).expect("a plan"));
    });
    group.finish();
}

criterion_group!(benches, hot_paths, drafts);
criterion_main!(benches);
