//! What is run: graphs, and what each has to come to for every input, computed here by other means.
//!
//! Three shapes, each of data steps (`chain-10`, `fan-20`, `branchy`) and of requests to the driver's server (`…-http`). Every run gets a
//! number `n` of its own, so that no answer fits another run, and the URL of the driver's server.

mod branchy;
mod chain;
mod fan;

use http::Method;
use serde_json::{Value, json};

/// A workflow with known results.
#[derive(Debug)]
pub(crate) struct Workload {
    /// What reports call it.
    pub(crate) name: &'static str,
    /// How many of its nodes a run executes; what lies on a branch that was not taken is none.
    pub(crate) steps: u32,
    /// How many of them are effects.
    pub(crate) effects: u32,
    /// Its graph.
    pub(crate) graph: fn() -> Value,
    /// What the run with number `n` comes to.
    pub(crate) result: fn(n: u64) -> Value,
}

/// Every workload.
pub(crate) static ALL: [Workload; 6] =
    [chain::PURE, chain::HTTP, fan::PURE, fan::HTTP, branchy::PURE, branchy::HTTP];

/// Ten data steps in a row.
pub(crate) const CHAIN: &str = chain::PURE.name;

/// Ten HTTP requests in a row.
pub(crate) const CHAIN_HTTP: &str = chain::HTTP.name;

/// Twenty HTTP requests beside each other.
pub(crate) const FAN_HTTP: &str = fan::HTTP.name;

/// The names of all.
pub(crate) fn names() -> [&'static str; ALL.len()] {
    ALL.each_ref().map(|workload| workload.name)
}

/// What the run with number `n` is started with.
pub(crate) fn inputs(n: u64, server: &str) -> Value {
    json!({"n": n, "server": server})
}

/// What the driver's server answers to a request; None where it has no answer.
pub(crate) fn answer(method: &Method, path: &str, query: Option<u64>, body: &Value) -> Option<Value> {
    match (method.as_str(), path) {
        ("GET", "/next") => Some(json!({"n": chain::next_by_get(query?)})),
        ("POST", "/next") => Some(json!({"n": chain::next_by_post(body["n"].as_u64()?)})),
        ("POST", "/branch") => Some(fan::branch(body["n"].as_u64()?, body["branch"].as_u64()?)),
        ("GET", "/items") => Some(json!({"items": branchy::items(query?)})),
        ("POST", "/dear") => Some(json!({"items": branchy::dear(body["items"].as_array()?)})),
        ("POST", "/shaped") => {
            let shaped = branchy::shaped(body["items"].as_array()?, body["size"].as_str()?);
            Some(json!({"items": shaped}))
        }
        _ => None,
    }
}

/// Keeps numbers small however long a measurement takes: all of them are exact in JSONata's floating point.
const MODULUS: u64 = 1_000_003;

fn node(key: &str, node_type: &str, metadata: &Value) -> Value {
    json!({"key": key, "node_type": node_type, "metadata": metadata})
}

/// A request to the driver's server.
fn post(key: &str, path: &str, body: &Value) -> Value {
    node(key, "post_api", &json!({"url": format!("{{{{ base.params.server }}}}{path}"), "body": body}))
}

fn edge(from: &str, to: &str) -> Value {
    json!({"from": from, "to": to})
}

/// Nodes one after the other.
fn chain_of(nodes: &[Value]) -> Value {
    let key = |node: &Value| node["key"].as_str().unwrap_or_default().to_owned();
    let edges: Vec<_> = nodes.windows(2).map(|pair| edge(&key(&pair[0]), &key(&pair[1]))).collect();
    json!({"nodes": nodes, "edges": edges})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effects_of_a_workload_are_its_requests() {
        for workload in &ALL {
            let graph = (workload.graph)();
            let nodes = graph["nodes"].as_array().unwrap();
            let is_request =
                |node: &&Value| node["node_type"].as_str().is_some_and(|name| name.ends_with("_api"));
            let (all, requests) = (nodes.len(), nodes.iter().filter(is_request).count());
            // Of the branches of `branchy` one is taken.
            let not_taken = usize::from(workload.name.starts_with("branchy"));
            assert_eq!(all - not_taken, workload.steps as usize, "{}", workload.name);
            let not_taken = not_taken * usize::from(workload.effects > 1);
            assert_eq!(requests - not_taken, workload.effects as usize, "{}", workload.name);
        }
    }

    #[test]
    fn what_the_server_does_not_know_has_no_answer() {
        assert_eq!(answer(&Method::GET, "/elsewhere", Some(1), &Value::Null), None);
        assert_eq!(answer(&Method::POST, "/next", None, &json!({"n": "seven"})), None);
        assert_eq!(answer(&Method::GET, "/next", Some(1), &Value::Null), Some(json!({"n": 4})));
    }
}
