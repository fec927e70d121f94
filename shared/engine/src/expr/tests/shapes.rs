//! Shapes of expressions against what the interpreter comes to (typed edges: unknown, never wrong).

use proptest::prelude::*;
use serde_json::{Value, json};

use super::entropy;
use crate::{
    expr::{
        Expr, Scope,
        infer::{Doubt, ShapeScope},
    },
    shape::Shape,
};

fn scope(input: Shape) -> ShapeScope {
    ShapeScope { input, base: Shape::object([("params", Shape::any())]), item: None }
}

fn infer(source: &str, input: &Shape) -> (Shape, Vec<Doubt>) {
    let mut doubts = Vec::new();
    let shape = Expr::parse(source).unwrap().shape(&scope(input.clone()), &mut doubts);
    (shape, doubts)
}

/// JSON of a few names and kinds, so that expressions find something.
fn data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3i64..9).prop_map(Value::from),
        "[xy]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            3 => prop::collection::btree_map("[abc]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Expressions of all that a shape is inferred through.
fn source() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        6 => prop_oneof!["input(\\.[abc]){0,3}", "input\\.[abc]\\[0\\]\\.[abc]", "input(\\.[abc]){1,2}\\[\\]", "\\$input\\.[ab]"],
        1 => "[abc]",
        1 => Just("$".to_owned()),
        2 => "[0-9]|'[xy]'|true|null|\\[\\]|nothing",
    ];
    leaf.prop_recursive(4, 20, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            two.clone().prop_flat_map(|(a, b)| {
                prop::sample::select(vec![
                    "+", "-", "*", "<", ">=", "=", "!=", "in", "and", "or", "&", "??", "?:", "..",
                ])
                .prop_map(move |op| format!("({a} {op} {b})"))
            }),
            two.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            two.clone().prop_map(|(a, b)| format!("{{'a': {a}, 'b': {b}}}")),
            two.clone().prop_map(|(a, b)| format!("({a}).({b})")),
            two.clone().prop_map(|(a, b)| format!("({a})[{b}]")),
            two.clone().prop_map(|(a, b)| format!("($v := {a}; {b} & $v; $v)")),
            (inner.clone(), "[abc]").prop_map(|(a, name)| format!("({a}).{name}")),
            (inner.clone(), "[abc]").prop_map(|(a, name)| format!("({a})^({name})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            two.clone().prop_flat_map(|(a, b)| {
                prop::sample::select(vec!["map", "filter", "single", "each", "sift"])
                    .prop_map(move |f| format!("${f}({a}, function($v, $i) {{ [$v.a, {b}] }})"))
            }),
            inner.clone().prop_flat_map(|a| {
                prop::sample::select(vec![
                    "sum",
                    "count",
                    "max",
                    "string",
                    "number",
                    "uppercase",
                    "length",
                    "exists",
                    "not",
                    "boolean",
                    "keys",
                    "reverse",
                    "sort",
                    "distinct",
                    "merge",
                    "abs",
                    "join",
                    "type",
                    "clone",
                    "trim",
                    "average",
                    "spread",
                ])
                .prop_map(move |f| format!("${f}({a})"))
            }),
            inner.clone().prop_map(|a| format!("$append({a}, input.b)")),
            inner.clone().prop_map(|a| format!("$lookup({a}, 'a')")),
            inner.clone().prop_map(|a| format!("$split({a}, 'x')")),
            inner.clone().prop_map(|a| format!("({a} ~> $count())")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.clone().prop_map(|a| format!("({a}){{a: b}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// What an expression comes to is one of the values of its shape, and what is called certain never works.
    #[test]
    fn a_shape_stands_for_every_value_of_its_expression(source in source(), input in data(), other in data()) {
        let Ok(expr) = Expr::parse(&source) else { return Ok(()) };
        let base = json!({"params": {}});
        let outcome = expr.evaluate(&Scope::new(Some(&input), &base, entropy()));
        for known in [Shape::of_value(&input), Shape::of_value(&input).or(&Shape::of_value(&other)), Shape::any()] {
            let (shape, doubts) = infer(&source, &known);
            if let Ok(value) = &outcome {
                    prop_assert!(shape.admits(value.as_ref()), "{source} over {input}: {value:?} is not {shape:?}");
                    let wrong = doubts.iter().find(|doubt| doubt.is_sure && doubt.code == "wrong_kind");
                    prop_assert_eq!(wrong, None, "{} over {}: {:?}", source, input, value);
            }
        }
    }
}

/// The first doubt of an expression over an input like this, with its offset.
fn doubt(source: &str, input: &Value) -> Option<(String, Option<usize>, bool)> {
    let (_, doubts) = infer(source, &Shape::of_value(input));
    doubts.into_iter().next().map(|doubt| (doubt.message, doubt.offset, doubt.is_sure))
}

#[test]
fn a_name_that_can_not_be_there_is_told_with_its_place_and_what_is_there() {
    let answer =
        json!({"status": 200, "headers": {}, "body": {"orders": [{"id": 1, "total": 5}], "name": "x"}});
    for (source, message, offset) in [
        (
            "input.stauts",
            "`input` here is {body, headers, status}; it has no `stauts`. Did you mean `status`?",
            6,
        ),
        (
            "1 + input.body.orders.totl",
            "`input.body.orders` here is a list of {id, total}; its items have no `totl`. Did you mean `total`?",
            22,
        ),
        (
            "$sum(input.body.orders[idd > 1].total)",
            "the current item here is {id, total}; it has no `idd`. Did you mean `id`?",
            23,
        ),
        ("input.body.orders.{'a': nr}", "the current item here is {id, total}; it has no `nr`", 24),
        ("input.status.code", "`input.status` here is a number; it has no fields, so no `code`", 13),
        ("statsu", "there is no `statsu` here; an expression begins with `base`, `input`", 0),
        (
            "status",
            "there is no `status` here; an expression begins with `base`, `input`. Did you mean `input.status`?",
            0,
        ),
    ] {
        assert_eq!(doubt(source, &answer), Some((message.to_owned(), Some(offset), true)), "{source}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_told() {
    let order = json!({"id": "x", "total": 5, "tags": ["a"]});
    for (source, message) in [
        ("input.id + 1", "`+` takes numbers, but `input.id` is 'x' here"),
        ("input.tags < 3", "`<` takes two numbers or two texts, but `input.tags` is a list of 'a' here"),
        ("input.id > input.total", "`>` takes a number to compare with a number, but `input.id` is 'x' here"),
        ("$uppercase(input.total)", "`$uppercase` takes a text, but `input.total` is a number here"),
        ("$sum(input.tags)", "`$sum` takes numbers, but `input.tags` is a list of 'a' here"),
    ] {
        assert_eq!(doubt(source, &order).map(|(message, ..)| message).as_deref(), Some(message), "{source}");
    }
    let equal = doubt("input.total = 'x'", &order).unwrap();
    assert_eq!(equal, ("`=` compares a number with 'x', which are never the same".to_owned(), None, false));
    assert!(doubt("$nope & input.id", &order).unwrap().0.contains("$nope"));
}

#[test]
fn who_asks_whether_a_value_is_there_is_not_told_that_it_is_not() {
    let order = json!({"id": "x", "tags": []});
    for source in [
        "$exists(input.total)",
        "input.total ?? 1",
        "input.total ?: 1",
        "input.total ? 1 : 2",
        "input.total and true",
    ] {
        assert!(!doubt(source, &order).is_some_and(|(.., is_sure)| is_sure), "{source}");
    }
    for source in [
        "input.tags.name",
        "input.tags[0].name",
        "input.id & input.tags",
        "$map(input.tags, function($t) { $t.name })",
    ] {
        assert_eq!(doubt(source, &order), None, "{source}");
    }
}
