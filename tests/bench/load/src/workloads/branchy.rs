//! Fetch, filter, decide, shape: what an ordinary workflow does.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Workload, node};

const ITEMS: u64 = 100;
const LEAST_PRICE: u64 = 500;
const MANY: usize = 50;

/// GET of 100 items → `filter` → `if_else` → `map` → `merge` → `return`.
pub(super) const BRANCHY: Workload = Workload { name: "branchy", graph, result };

/// One thing for sale.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Item {
    id: u64,
    price: u64,
    name: String,
}

/// What the driver's server has for sale in the run with number `n`. How many of it is dear depends on `n`.
pub(crate) fn items(n: u64) -> Vec<Item> {
    let item = |id| Item {
        id,
        price: (id * 7_919 + n * 104_729 + id * n * 31) % 1000,
        name: format!("Thing {id} of {n}"),
    };
    (1..=ITEMS).map(item).collect()
}

fn graph() -> Value {
    let shaped = |size: &str| {
        let mapping = json!({"id": "{{ item.id }}", "label": format!("{{{{ item.name }}}} ({size})"), "position": "{{ index }}"});
        json!({"items": "{{ input }}", "mapping": mapping})
    };
    json!({
        "nodes": [
            node("fetch", "get_api", &json!({"url": "{{ base.params.server }}/items", "query": {"n": "{{ input.n }}"}})),
            node("dear", "filter", &json!({"items": "{{ input.body.items }}", "condition": format!("{{{{ item.price >= {LEAST_PRICE} }}}}")})),
            node("enough", "if_else", &json!({"condition": format!("{{{{ $count(input) >= {MANY} }}}}")})),
            node("many", "map", &shaped("of many")),
            node("few", "map", &shaped("of few")),
            node("either", "merge", &json!({"mode": "any"})),
            node("answer", "return", &json!({"output": {"count": "{{ $count(input) }}", "items": "{{ input }}"}})),
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
}
