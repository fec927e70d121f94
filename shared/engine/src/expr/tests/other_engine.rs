//! `jsonata-rs` behind the same guard.

use serde_json::{Map, Value, json};

use super::{entropy, with_scope};
use crate::expr::{Engine, Expr, ExprError};

fn evaluate(source: &str) -> Result<Option<Value>, ExprError> {
    let Value::Object(bindings) = json!({"x": {"y": [1, 2.5]}}) else { unreachable!() };
    let data = json!({"a": {"b": [1, 2, 3]}, "z": 1.5});
    Expr::parse_with(Engine::JsonataRs, source)?.evaluate_data(Some(&data), &bindings, &entropy())
}

fn code(source: &str) -> String {
    evaluate(source).map_or_else(|error| error.code, |value| format!("{value:?}"))
}

#[test]
fn values_come_out_as_json() {
    let cases = [
        ("a.b", Some(json!([1, 2, 3]))),
        ("$sum(a.b) + z", Some(json!(7.5))),
        ("$x.y", Some(json!([1, 2.5]))),
        ("{'k': a.b[0], 'n': null}", Some(json!({"k": 1, "n": null}))),
        ("nothing", None),
        ("$now()", Some(json!("2026-01-02T03:04:05.006Z"))),
        ("$millis()", Some(json!(1_767_323_045_006_u64))),
        ("$random() = $random()", Some(json!(false))),
    ];
    for (source, expected) in cases {
        assert_eq!(evaluate(source), Ok(expected), "{source}");
    }
    assert_eq!(evaluate("$random()"), evaluate("$random()"));
}

#[test]
fn the_guard_holds_what_it_can() {
    assert_eq!(code(&format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000))), "too_deep");
    assert_eq!(code(&format!("{}1{}", "(".repeat(190), ")".repeat(190))), "Some(Number(1))");
    assert_eq!(code(&format!("{}1", "-".repeat(20_000))), "too_deep");
    assert_eq!(code(&vec!["1"; 900].join("+")), "Some(Number(900))");
    assert_eq!(code(&format!("\"{}\"", "a".repeat(100_000))), "too_long");
    assert_eq!(code("($f := function($x) { $f($x) }; $f(1))"), "timeout");
    assert_eq!(code("($f := function($x) { 1 + $f($x) }; $f(1))"), "too_deep");
    assert_eq!(code("a.b.%"), "panicked");
    assert_eq!(code("$uuid()"), "unsupported");
    assert_eq!(code("1 +"), "S0211");
}

#[test]
fn it_sees_the_same_scope() {
    let expr = Expr::parse_with(Engine::JsonataRs, "input.customer.orders[total > $base.params.least].id")
        .expect("parses");
    assert_eq!(with_scope(|scope| expr.evaluate(scope)), Ok(Some(json!([1, 3]))));
    assert_eq!(expr.evaluate_data(None, &Map::new(), &entropy()), Ok(None));
}
