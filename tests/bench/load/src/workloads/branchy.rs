//! Fetch, filter, decide, shape: what an ordinary workflow does. The data steps between are Heddle's, or requests too.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Workload, node, post};

const ITEMS: u64 = 100;
const LEAST_PRICE: u64 = 500;
const MANY: usize = 50;

/// GET of 100 items → `filter` → `if_else` → `map` → `merge` → `return`.
pub(super) const PURE: Workload =
    Workload { name: "branchy", steps: 6, effects: 1, graph: pure_graph, result };

/// The same with a request in place of the `filter` and of each `map`.
pub(super) const HTTP: Workload =
    Workload { name: "branchy-http", steps: 6, effects: 3, graph: http_graph, result };

/// One thing for sale.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Item {
    id: u64,
    price: u64,
    name: String,
}

/// What the driver's server has for sale in the run with number `n`. How many of it is dear depends on `n`.
pub(super) fn items(n: u64) -> Vec<Item> {
    let item = |id| Item {
        id,
        price: (id * 7_919 + n * 104_729 + id * n * 31) % 1000,
        name: format!("Thing {id} of {n}"),
    };
    (1..=ITEMS).map(item).collect()
}

/// Those of the items that are dear, as the driver's server picks them.
pub(super) fn dear(items: &[Value]) -> Vec<Value> {
    items.iter().filter(|item| item["price"].as_u64() >= Some(LEAST_PRICE)).cloned().collect()
}

/// The items in the form of the answer, as the driver's server shapes them.
pub(super) fn shaped(items: &[Value], size: &str) -> Vec<Value> {
    let shaped = |(position, item): (usize, &Value)| {
        let label = format!("{} ({size})", item["name"].as_str().unwrap_or_default());
        json!({"id": item["id"], "label": label, "position": position})
    };
    items.iter().enumerate().map(shaped).collect()
}

fn pure_graph() -> Value {
    let map = |key: &str, size: &str| {
        let mapping = json!({"id": "{{ item.id }}", "label": format!("{{{{ item.name }}}} ({size})"), "position": "{{ index }}"});
        node(key, "map", &json!({"items": "{{ input }}", "mapping": mapping}))
    };
    let dear = json!({"items": "{{ input.body.items }}", "condition": format!("{{{{ item.price >= {LEAST_PRICE} }}}}")});
    branchy(&node("dear", "filter", &dear), "input", map, "input")
}

fn http_graph() -> Value {
    let shape = |key: &str, size: &str| {
        post(key, "/shaped", &json!({"items": "{{ input.body.items }}", "size": size}))
    };
    let dear = post("dear", "/dear", &json!({"items": "{{ input.body.items }}"}));
    branchy(&dear, "input.body.items", shape, "input.body.items")
}

/// `dear_at` and `shaped_at` say where the items are in the output of what picked and of what shaped them.
fn branchy(dear: &Value, dear_at: &str, shape: impl Fn(&str, &str) -> Value, shaped_at: &str) -> Value {
    let output =
        json!({"count": format!("{{{{ $count({shaped_at}) }}}}"), "items": format!("{{{{ {shaped_at} }}}}")});
    json!({
        "nodes": [
            node("fetch", "get_api", &json!({"url": "{{ base.params.server }}/items", "query": {"n": "{{ input.n }}"}})),
            dear,
            node("enough", "if_else", &json!({"condition": format!("{{{{ $count({dear_at}) >= {MANY} }}}}")})),
            shape("many", "of many"),
            shape("few", "of few"),
            node("either", "merge", &json!({"mode": "any"})),
            node("answer", "return", &json!({"output": output})),
        ],
        "edges": [
            {"from": "fetch", "to": "dear"}, {"from": "dear", "to": "enough"},
            {"from": "enough", "to": "many", "label": "true"}, {"from": "enough", "to": "few", "label": "false"},
            {"from": "many", "to": "either"}, {"from": "few", "to": "either"}, {"from": "either", "to": "answer"},
        ],
    })
}

fn result(n: u64) -> Value {
    let dear: Vec<_> = items(n).into_iter().filter(|item| item.price >= LEAST_PRICE).collect();
    let size = if dear.len() >= MANY { "of many" } else { "of few" };
    let shaped = |(position, item): (usize, &Item)| json!({"id": item.id, "label": format!("{} ({size})", item.name), "position": position});
    json!({"count": dear.len(), "items": dear.iter().enumerate().map(shaped).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_runs_have_many_dear_items_and_some_have_few() {
        let counts: Vec<_> = (0..50).map(|n| result(n)["count"].as_u64().unwrap()).collect();
        assert!(
            counts.iter().any(|count| *count >= 50) && counts.iter().any(|count| *count < 50),
            "{counts:?}"
        );
    }

    #[test]
    fn the_server_comes_to_the_same_items_as_the_driver() {
        for n in 0..50 {
            let Value::Array(items) = json!(items(n)) else { unreachable!("a list") };
            let dear = dear(&items);
            let size = if dear.len() >= MANY { "of many" } else { "of few" };
            assert_eq!(json!({"count": dear.len(), "items": shaped(&dear, size)}), result(n));
        }
    }
}
