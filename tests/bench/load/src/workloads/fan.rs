//! One step, twenty beside each other, and all of them joined.

use serde_json::{Map, Value, json};

use super::{Workload, edge, node};

const WIDTH: u64 = 20;

/// 1 → 20 data steps → `merge` → `return`.
pub(super) const FAN: Workload = Workload { name: "fan-20", graph, result };

fn graph() -> Value {
    let mut nodes = vec![node("source", "map", &json!({"mapping": {"n": "{{ input.n + 1 }}"}}))];
    let mut edges = Vec::new();
    for branch in 1..=WIDTH {
        let key = key(branch);
        let mapping = json!({"product": format!("{{{{ input.n * {branch} }}}}"), "text": "{{ input.n }} times this branch"});
        nodes.push(node(&key, "map", &json!({"mapping": mapping})));
        edges.extend([edge("source", &key), edge(&key, "joined")]);
    }
    nodes.push(node("joined", "merge", &json!({})));
    nodes.push(node("answer", "return", &json!({"output": "{{ input }}"})));
    edges.push(edge("joined", "answer"));
    json!({"nodes": nodes, "edges": edges})
}

fn result(n: u64) -> Value {
    let n = n + 1;
    let branch =
        |branch| (key(branch), json!({"product": n * branch, "text": format!("{n} times this branch")}));
    Value::Object((1..=WIDTH).map(branch).collect::<Map<_, _>>())
}

fn key(branch: u64) -> String {
    format!("branch_{branch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_branches_lie_between_the_source_and_the_merge() {
        let graph = graph();
        assert_eq!(graph["nodes"].as_array().unwrap().len(), 23);
        assert_eq!(graph["edges"].as_array().unwrap().len(), 41);
        assert_eq!(result(1).as_object().unwrap().len(), 20);
    }
}
