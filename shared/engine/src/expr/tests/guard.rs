//! Bounds that an expression meets. What must hold of time and memory is measured in `tests/expressions.rs`.

use std::thread;

use serde_json::{Map, json};

use super::{entropy, evaluate};
use crate::expr::Expr;

fn code(source: &str) -> String {
    match evaluate(source, &json!({"a": {"b": 1}})) {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.code,
    }
}

#[test]
fn long_and_deep_texts_are_refused_before_they_are_parsed() {
    assert_eq!(code(&format!("\"{}\"", "a".repeat(100_000))), "too_long");
    let cases = [("(", ")"), ("[", "]"), ("{\"a\":", "}"), ("$f(", ")"), ("a[", "]"), ("function(){", "}")];
    for (open, close) in cases {
        assert_eq!(code(&format!("{}1{}", open.repeat(2_000), close.repeat(2_000))), "too_deep", "{open}");
    }
    assert_eq!(Expr::parse(&"(".repeat(300)).map_err(|error| error.offset).err(), Some(Some(200)));
    assert_eq!(code(&format!("{}1{}", "(".repeat(150), ")".repeat(150))), "Some(Number(1))");
}

#[test]
fn chains_are_refused_or_evaluated_but_never_overflow_the_stack() {
    let chains = [
        format!("{}1", "-".repeat(20_000)),
        format!("{}c", "a?b:".repeat(5_000)),
        vec!["a"; 10_000].join("."),
        vec!["1"; 10_000].join("+"),
        vec!["$a"; 6_000].join(":="),
        vec!["$string"; 3_000].join("~>"),
        format!("a{}", "[0]".repeat(8_000)),
        format!("a{}", "^(b)".repeat(5_000)),
        format!("$x{}", "()".repeat(8_000)),
        "|".repeat(9_000),
        "λ(){".repeat(180),
    ];
    for chain in chains {
        let code = code(&chain);
        assert!(code == "too_deep" || code.starts_with('S'), "{}: {code}", &chain[..20]);
    }
}

#[test]
fn functions_within_functions_are_dropped_on_a_small_stack() {
    let chains = [
        "($f := function($n, $a) { $f($n + 1, function() { $a }) }; $f(0, 0))",
        "($f := function($n, $a) { $f($n + 1, $append(?, $a)) }; $f(0, 0))",
        "($f := function($n, $a) { $f($n + 1, $a ~> $string) }; $f(0, $string))",
        "($f := function($n, $a) { $f($n + 1, {'g': function() { $a }}) }; $f(0, {}))",
        "($f := function($n, $a) { ($g := function() { $a }; $f($n + 1, $g)) }; $f(0, 0))",
        "($f := function($n, $g) { $f($n + 1, function($x) { $g($g($x)) }) }; $f(0, $string))",
    ];
    let small = thread::Builder::new().stack_size(2 << 20).spawn(move || chains.map(code)).expect("a thread");
    for code in small.join().expect("no overflow") {
        assert!(matches!(code.as_str(), "too_deep" | "timeout"), "{code}");
    }
}

#[test]
fn each_bound_has_its_code() {
    let cases = [
        ("($f := function($x) { $f($x) }; $f(1))", "timeout"),
        ("($f := function($x) { 1 + $f($x) }; $f(1))", "too_deep"),
        ("[-1e19..1e19]", "D2014"),
        ("[1..1e6]", "too_large"),
        ("$pad('x', 1e9)", "too_large"),
        ("($p := $pad; $p('x', 1e9))", "too_large"),
        ("$map([1e9], $pad('x', ?))", "too_large"),
        ("$formatInteger(1e15, 'I')", "too_large"),
        ("$fromMillis(0, '[Y,9999999-*]')", "too_large"),
        ("$contains('a', /a{1000}{1000}/)", "too_large"),
        ("$reduce([1..40], function($a, $_) { $a & $a }, 'some text')", "too_large"),
        ("$reduce([1..40], function($a, $_) { {'l': $a, 'r': $a} }, 1)", "too_large"),
        ("$reduce([1..200], function($a, $_) { {'l': $a} }, 1)", "too_deep"),
        ("$eval('$pad(\"x\", 1e9)')", "too_large"),
        ("($x := 1; $eval('$x'))", "unsupported"),
        ("($replace := 1; $replace)", "unsupported"),
        ("1 / 0", "D1001"),
    ];
    for (source, expected) in cases {
        assert_eq!(code(source), expected, "{source}");
    }
}

#[test]
fn a_text_may_grow_piece_by_piece() {
    let source = "$length($reduce([1..2000], function($a, $i) { $a & 'one more line of a report, with a number ' & $i }, ''))";
    assert_eq!(code(source), "Some(Number(88893))");
}

#[test]
fn what_is_put_in_may_be_large() {
    let rows: Vec<_> = (0..300_000).map(|n| json!({"n": n})).collect();
    let data = json!({ "rows": rows });
    assert_eq!(evaluate("$count(rows)", &data), Ok(Some(json!(300_000))));
    assert_eq!(evaluate("rows[-1].n", &data), Ok(Some(json!(299_999))));
}

#[test]
fn expressions_are_shared_between_threads() {
    let expr = Expr::parse("a + 1").expect("parses");
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let expr = expr.clone();
            thread::spawn(move || expr.evaluate_data(Some(&json!({"a": n})), &Map::new(), &entropy()))
        })
        .collect();
    for (n, thread) in threads.into_iter().enumerate() {
        assert_eq!(thread.join().expect("no panic"), Ok(Some(json!(n + 1))));
    }
}
