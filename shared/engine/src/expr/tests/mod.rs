//! Expressions, from the outside.

mod guard;
mod language;
#[cfg(feature = "jsonata-rs")]
mod other_engine;
mod reads;
mod shapes;
mod templates;

use chrono::DateTime;
use serde_json::{Map, Value, json};

use super::{Entropy, Expr, ExprError, Scope};

pub(super) fn entropy() -> Entropy {
    Entropy { now: DateTime::from_timestamp_millis(1_767_323_045_006).expect("a valid time"), seed: [7; 32] }
}

/// Evaluates plain JSONata over `data`.
pub(super) fn evaluate(source: &str, data: &Value) -> Result<Option<Value>, ExprError> {
    Expr::parse(source)?.evaluate_data(Some(data), &Map::new(), &entropy())
}

/// What `{{ }}` sees in these tests.
pub(super) fn with_scope<T>(f: impl FnOnce(&Scope<'_>) -> T) -> T {
    let input = json!({
        "customer": {"name": "Ada", "orders": [{"id": 1, "total": 10}, {"id": 2, "total": 2.5}, {"id": 3, "total": 40}]},
        "big": 9_007_199_254_740_993_u64,
        "none": null,
        "empty": [],
        "one": [5],
    });
    let base = json!({"params": {"least": 5}, "nodes": {"fetch": {"status": 200}}, "time": "2026-01-02T03:04:05.006Z"});
    f(&Scope::new(Some(&input), &base, entropy()))
}
