//! The document that Heddle is given.

use domain::{Graph, Node, NodeKey, RetryPolicy};
use serde_json::{Map, Value, json};

use super::shape::{
    Ask, Call, Condition, Does, Each, Edge, ItemError, Join, Names, OnError, Shape, Sub, Timeout,
};
use crate::flows::workflow_id;

/// The key of a node of a workflow.
pub fn key(i: usize) -> NodeKey {
    Names::Deep(0).key(i)
}

/// The graph of these shapes.
pub fn document(shapes: &[Shape]) -> Graph {
    graph(Names::Deep(0), shapes)
}

fn graph(names: Names, shapes: &[Shape]) -> Graph {
    let edge = |to: usize, (from, label): &Edge| domain::Edge {
        from: names.key(*from),
        to: names.key(to),
        label: label.map(str::to_owned),
    };
    let edges =
        shapes.iter().enumerate().flat_map(|(to, shape)| shape.edges.iter().map(move |from| edge(to, from)));
    Graph {
        nodes: shapes.iter().enumerate().map(|(i, shape)| node(names, i, shape)).collect(),
        edges: edges.collect(),
    }
}

fn node(names: Names, i: usize, shape: &Shape) -> Node {
    let (node_type, metadata) = metadata(names, i, &shape.does);
    let call = shape.does.as_call();
    let retry = call.and_then(|call| call.retry.clone());
    Node {
        id: None,
        key: names.key(i),
        name: String::new(),
        node_type: node_type.to_owned(),
        metadata: object(metadata),
        structured_output: structured_output(&shape.does),
        retry: retry.map(|(max_retries, delays_s)| RetryPolicy { max_retries, delays_s: Some(delays_s) }),
        timeout_s: timeout_s(&shape.does),
        on_error: match shape.on_error {
            OnError::Fail => domain::OnError::Fail,
            OnError::Continue => domain::OnError::Continue { default: json!(i) },
            OnError::Branch => domain::OnError::Branch,
        },
        position: None,
    }
}

fn timeout_s(does: &Does) -> Option<u32> {
    match does {
        Does::Call(call) => call.timeout_s,
        Does::Run(sub) => sub.timeout_s,
        Does::Each(each) => each.timeout_s,
        _ => None,
    }
}

fn metadata(names: Names, i: usize, does: &Does) -> (&'static str, Value) {
    match does {
        Does::Wrap | Does::Mismatch => {
            ("advanced", json!({"program": format!("{{\"k\": {i}, \"in\": input}}")}))
        }
        Does::Pair => ("map", json!({"mapping": ["{{ input }}", i]})),
        Does::Squares(count) => (
            "map",
            json!({"items": format!("[1..{count}]"), "mapping": {"at": "{{ index }}", "square": "{{ item * item }}"}}),
        ),
        Does::Above(n) => ("filter", json!({"items": "[1..10]", "condition": format!("item > {n}")})),
        Does::Batches(size) => ("split", json!({"items": "[1..7]", "batch_size": size})),
        Does::Parts => ("split", json!({"parts": {"l": "input", "r": i.to_string()}})),
        Does::Recall(ancestor) => {
            ("advanced", json!({"program": format!("{{\"of\": base.nodes.{}}}", names.key(*ancestor))}))
        }
        Does::Around(outer) => {
            ("advanced", json!({"program": format!("{{\"of\": base.nodes.{}}}", key(*outer))}))
        }
        Does::Item => ("advanced", json!({"program": "{\"at\": index, \"item\": item, \"in\": input}"})),
        Does::Record => ("advanced", json!({"program": "{\"run\": base.run.id, \"time\": base.time}"})),
        Does::Choose(Condition::Is(truth)) => ("if_else", json!({"condition": truth.to_string()})),
        Does::Choose(Condition::Above(n)) => {
            ("if_else", json!({"condition": format!("base.params.n > {n}")}))
        }
        Does::Cases { low, mid, has_default } => ("if_else", cases(*low, *mid, *has_default)),
        Does::Fail => ("advanced", json!({"program": "$error('no')"})),
        Does::Merge(Join::Object) => ("merge", json!({})),
        Does::Merge(Join::Append) => ("merge", json!({"mode": "append"})),
        Does::Merge(Join::Any) => ("merge", json!({"mode": "any"})),
        Does::Wait(seconds) => ("wait", json!({"seconds": seconds})),
        Does::Return { is_object: false } => ("return", json!({})),
        Does::Return { is_object: true } => ("return", json!({"output": {"result": "{{ input }}"}})),
        Does::Call(call) => request(i, call),
        Does::Run(sub) => ("workflow", run(sub, &json!({"n": "{{ base.params.n }}", "in": "{{ input }}"}))),
        Does::Each(each) => ("for_each", for_each(names, each)),
        Does::Ask(ask) => ("approval", approval(ask)),
    }
}

fn run(sub: &Sub, fit: &Value) -> Value {
    let mut metadata = json!({"workflow_id": workflow_id(sub.flow)});
    if sub.is_fit {
        metadata["input"] = fit.clone();
    }
    metadata
}

fn for_each(names: Names, each: &Each) -> Value {
    let count = each.count.map_or_else(|| "base.params.n".to_owned(), |count| count.to_string());
    let mut metadata = match each.body.first().and_then(|shape| shape.does.as_run()) {
        Some(sub) if each.is_workflow => run(sub, &json!({"n": "{{ item }}", "in": "{{ index }}"})),
        _ => json!({"body": body(each.names(names), &each.body)}),
    };
    metadata["items"] = json!(format!("[1..{count}]"));
    metadata["on_item_error"] = match each.on_item_error {
        ItemError::Fail => json!("fail"),
        ItemError::Skip => json!("skip"),
        ItemError::Collect => json!("collect"),
    };
    if let Some(most) = each.max_concurrency {
        metadata["max_concurrency"] = json!(most);
    }
    metadata
}

/// A body as a list of nodes, where it is one node after the other.
fn body(names: Names, shapes: &[Shape]) -> Value {
    let Graph { nodes, edges } = graph(names, shapes);
    let is_list = shapes.iter().enumerate().all(|(i, shape)| match i.checked_sub(1) {
        Some(before) => shape.edges == [(before, None)],
        None => true,
    });
    if is_list { json!(nodes) } else { json!({"nodes": nodes, "edges": edges}) }
}

fn approval(ask: &Ask) -> Value {
    let mut metadata = json!({"title": "go on with {{ base.params.n }}?", "quorum": ask.quorum});
    if let Some(Timeout { after_s, approves }) = ask.timeout {
        metadata["timeout_s"] = json!(after_s);
        if let Some(approves) = approves {
            metadata["on_timeout"] = json!(if approves { "approve" } else { "reject" });
        }
    }
    metadata
}

fn cases(low: i64, mid: i64, has_default: bool) -> Value {
    let below = |label: &str, n: i64| json!({"label": label, "when": format!("base.params.n < {n}")});
    let mut cases = json!({"cases": [below("low", low), below("mid", mid)]});
    if has_default {
        cases["default"] = json!("high");
    }
    cases
}

fn request(i: usize, call: &Call) -> (&'static str, Value) {
    let what = if call.is_broken { "$error('no')" } else { "base.params.n" };
    let url = format!("https://example.com/{i}/{{{{ {what} }}}}");
    if call.posts {
        ("post_api", json!({"url": url, "method": "PUT", "body": {"in": "{{ input }}"}}))
    } else {
        ("get_api", json!({"url": url, "query": {"in": "{{ input }}"}}))
    }
}

fn structured_output(does: &Does) -> Option<Value> {
    let is_refused = match does {
        Does::Mismatch => true,
        Does::Call(call) => call.mismatches,
        _ => false,
    };
    is_refused.then(|| json!({"type": "object", "required": ["what_is_never_there"]}))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
