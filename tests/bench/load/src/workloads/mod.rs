//! What is run: graphs, and what each has to come to for every input, computed here by other means.
//!
//! Every run gets a number `n` of its own, so that no answer fits another run, and the URL of the driver's server.

mod branchy;
mod chain;
mod fan;

use serde_json::{Value, json};

pub(crate) use branchy::items;
pub(crate) use chain::{next_by_get, next_by_post};

/// A workflow with known results.
#[derive(Debug)]
pub(crate) struct Workload {
    /// What reports call it.
    pub(crate) name: &'static str,
    /// Its graph.
    pub(crate) graph: fn() -> Value,
    /// What the run with number `n` comes to.
    pub(crate) result: fn(n: u64) -> Value,
}

/// Every workload.
pub(crate) static ALL: [Workload; 4] = [chain::PURE, chain::HTTP, fan::FAN, branchy::BRANCHY];

/// Ten data steps in a row.
pub(crate) const CHAIN: &str = chain::PURE.name;

/// Ten HTTP requests in a row.
pub(crate) const CHAIN_HTTP: &str = chain::HTTP.name;

/// The names of all.
pub(crate) fn names() -> [&'static str; ALL.len()] {
    ALL.each_ref().map(|workload| workload.name)
}

/// What the run with number `n` is started with.
pub(crate) fn inputs(n: u64, server: &str) -> Value {
    json!({"n": n, "server": server})
}

/// Keeps numbers small however long a measurement takes: all of them are exact in JSONata's floating point.
const MODULUS: u64 = 1_000_003;

fn node(key: &str, node_type: &str, metadata: &Value) -> Value {
    json!({"key": key, "node_type": node_type, "metadata": metadata})
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
