//! Ten steps in a row: data steps, or HTTP requests.

use serde_json::{Value, json};

use super::{MODULUS, Workload, chain_of, node};

const STEPS: u32 = 10;

/// Data steps: `map` and `advanced` in turn. Each computes the next number and puts the last one on a growing trail.
pub(super) const PURE: Workload =
    Workload { name: "chain-10", steps: STEPS + 1, effects: 0, graph: pure_graph, result: pure_result };

/// Effects: `get_api` and `post_api` in turn. Each asks the driver's server for the next number.
pub(super) const HTTP: Workload = Workload {
    name: "chain-10-http",
    steps: STEPS + 1,
    effects: STEPS,
    graph: http_graph,
    result: http_result,
};

fn pure_graph() -> Value {
    let mut nodes: Vec<_> = (1..=STEPS)
        .map(|step| {
            let (key, next) = (format!("step_{step}"), format!("(input.n * 3 + {step}) % {MODULUS}"));
            let trail = "$append(input.trail, [input.n])";
            if step % 2 == 1 {
                let mapping =
                    json!({"n": format!("{{{{ {next} }}}}"), "trail": format!("{{{{ {trail} }}}}")});
                node(&key, "map", &json!({"mapping": mapping}))
            } else {
                node(&key, "advanced", &json!({"program": format!("{{\"n\": {next}, \"trail\": {trail}}}")}))
            }
        })
        .collect();
    let output =
        json!({"n": "{{ input.n }}", "trail": "{{ input.trail }}", "sum": "{{ $sum(input.trail) }}"});
    nodes.push(node("answer", "return", &json!({"output": output})));
    chain_of(&nodes)
}

fn pure_result(n: u64) -> Value {
    let (mut n, mut trail) = (n, Vec::new());
    for step in 1..=STEPS {
        trail.push(n);
        n = (n * 3 + u64::from(step)) % MODULUS;
    }
    json!({"n": n, "trail": trail, "sum": trail.iter().sum::<u64>()})
}

fn http_graph() -> Value {
    let mut nodes: Vec<_> = (1..=STEPS)
        .map(|step| {
            let (key, url) = (format!("step_{step}"), "{{ base.params.server }}/next");
            let n = if step == 1 { "{{ input.n }}" } else { "{{ input.body.n }}" };
            if step % 2 == 1 {
                node(&key, "get_api", &json!({"url": url, "query": {"n": n}}))
            } else {
                node(&key, "post_api", &json!({"url": url, "body": {"n": n}}))
            }
        })
        .collect();
    nodes.push(node("answer", "return", &json!({"output": {"n": "{{ input.body.n }}"}})));
    chain_of(&nodes)
}

fn http_result(n: u64) -> Value {
    let after = (1..=STEPS).fold(n, |n, step| if step % 2 == 1 { next_by_get(n) } else { next_by_post(n) });
    json!({"n": after})
}

/// What the driver's server answers to a GET.
pub(super) fn next_by_get(n: u64) -> u64 {
    (n * 3 + 1) % MODULUS
}

/// What it answers to a POST.
pub(super) fn next_by_post(n: u64) -> u64 {
    (n * 5 + 2) % MODULUS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_chains_have_ten_steps_and_an_answer_in_a_row() {
        for graph in [pure_graph(), http_graph()] {
            assert_eq!(graph["nodes"].as_array().unwrap().len(), 11);
            assert_eq!(graph["edges"].as_array().unwrap().len(), 10);
            assert_eq!(graph["edges"][9], json!({"from": "step_10", "to": "answer"}));
        }
    }

    #[test]
    fn results_differ_from_run_to_run() {
        assert_ne!(pure_result(1), pure_result(2));
        assert_ne!(http_result(1), http_result(2));
    }

    #[test]
    fn the_trail_holds_what_was_before_each_step() {
        let result = pure_result(1);
        assert_eq!(result["trail"][0], 1);
        assert_eq!(result["trail"][1], 4);
        assert_eq!(result["trail"].as_array().unwrap().len(), 10);
    }
}
