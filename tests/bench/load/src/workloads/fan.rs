//! One step, twenty beside each other, and all of them joined: data steps, or HTTP requests.

use serde_json::{Map, Value, json};

use super::{Workload, edge, node, post};

const WIDTH: u32 = 20;

/// 1 → 20 data steps → `merge` → `return`.
pub(super) const PURE: Workload =
    Workload { name: "fan-20", steps: WIDTH + 3, effects: 0, graph: pure_graph, result: pure_result };

/// 1 → 20 requests → `merge` → `return`.
pub(super) const HTTP: Workload = Workload {
    name: "fan-20-http",
    steps: WIDTH + 3,
    effects: WIDTH + 1,
    graph: http_graph,
    result: http_result,
};

fn pure_graph() -> Value {
    let source = node("source", "map", &json!({"mapping": {"n": "{{ input.n + 1 }}"}}));
    let branch = |key: &str, branch| {
        let mapping = json!({"product": format!("{{{{ input.n * {branch} }}}}"), "text": "{{ input.n }} times this branch"});
        node(key, "map", &json!({"mapping": mapping}))
    };
    fan(source, branch, "{{ input }}")
}

fn http_graph() -> Value {
    let source = post("source", "/next", &json!({"n": "{{ input.n }}"}));
    let branch = |key: &str, branch| {
        post(key, "/branch", &json!({"n": "{{ input.body.n }}", "branch": format!("{{{{ {branch} }}}}")}))
    };
    fan(source, branch, "{{ $each(input, function($answer, $key) { {$key: $answer.body} }) ~> $merge }}")
}

fn fan(source: Value, branch: impl Fn(&str, u32) -> Value, output: &str) -> Value {
    let (mut nodes, mut edges) = (vec![source], Vec::new());
    for number in 1..=WIDTH {
        let key = key(number);
        nodes.push(branch(&key, number));
        edges.extend([edge("source", &key), edge(&key, "joined")]);
    }
    nodes.push(node("joined", "merge", &json!({})));
    nodes.push(node("answer", "return", &json!({"output": output})));
    edges.push(edge("joined", "answer"));
    json!({"nodes": nodes, "edges": edges})
}

fn pure_result(n: u64) -> Value {
    joined(n + 1)
}

fn http_result(n: u64) -> Value {
    joined(super::chain::next_by_post(n))
}

fn joined(n: u64) -> Value {
    Value::Object((1..=WIDTH).map(|number| (key(number), branch(n, number.into()))).collect::<Map<_, _>>())
}

/// What a branch makes of a number.
pub(super) fn branch(n: u64, branch: u64) -> Value {
    json!({"product": n * branch, "text": format!("{n} times this branch")})
}

fn key(branch: u32) -> String {
    format!("branch_{branch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_branches_lie_between_the_source_and_the_merge() {
        for graph in [pure_graph(), http_graph()] {
            assert_eq!(graph["nodes"].as_array().unwrap().len(), 23);
            assert_eq!(graph["edges"].as_array().unwrap().len(), 41);
        }
        assert_eq!(pure_result(1).as_object().unwrap().len(), 20);
    }
}
