//! No expression takes more than 2 seconds or 256 MB, whatever it is. Each runs in a process of its own, which says at its
//! end how much memory it held at most.

use std::{
    env, fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use chrono::DateTime;
use engine::expr::{Entropy, Expr};
use serde_json::{Map, json};

const SECONDS: u64 = 2;
const MEGABYTES: u64 = 256;
/// Names the expression to the process that evaluates it.
const VARIABLE: &str = "HEDDLE_HOSTILE_EXPRESSION";

/// Expressions that evaluate without a long name of their own in the table.
const HOSTILE: &[&str] = &[
    // Numbers and ranges
    "[-1e19..1e19]",
    "[1..1e7]",
    "$sum([1..1e6])",
    "$power(10, 400)",
    "$formatBase(1e300, 2)",
    "[[1..2e5], [1..2e5], [1..2e5], [1..2e5], [1..2e5], [1..2e5], [1..2e5], [1..2e5], [1..2e5], [1..2e5]]",
    // Text that doubles
    "$reduce([1..40], function($a, $_) { $a & $a }, 'some text')",
    "($f := function($s) { $f($s & $s) }; $f('some text'))",
    "($f := function($s) { $f($s & 'another piece of text to be appended') }; $f(''))",
    "($b := $pad('x', 1e6); $map([1..1e5], function($i) { $i & $b }))",
    "($b := $pad('x', 1e6); $map([1..1e5], function() { $uppercase($b) }))",
    "($b := $pad('x', 1e5); $up := $uppercase; [1..1e5].$up($b))",
    "($b := $pad('%', 1e6, '%'); $reduce([1..10], function($a, $_) { $encodeUrlComponent($a) }, $b))",
    "$pad('x', 1e9)",
    "$map([1..1e5].$string(), $pad(?, 1e5))",
    "($p := $pad; $p('x', -1e9))",
    "($b := $pad('x', 1e6); $join([1..1e5].$b))",
    "($b := $pad('x', 1e6); $join([1..1e5].'a', $b))",
    "($b := $pad('x', 1e6, 'x'); $replace($b, 'x', $b))",
    "($b := $pad('x', 1e6, 'x'); $b ~> $replace(/x/, $b))",
    "($b := $pad('x', 2e5, 'x'); $replace($b, /x/, function($m) { $b }))",
    "($b := $pad('x', 2e5, 'x'); $f := function($m) { $b }; $r := $replace; $r($b, /x/, $f))",
    "($b := $pad('x', 2e5, 'x'); $o := {'f': function($m) { $b }}; $replace($b, /x/, $o.f))",
    "($b := $pad('x', 1e6, 'x'); $replace($b, /x+/, $pad('$0', 1000, '$0')))",
    "($b := $pad('x', 1e6, 'x'); $split($b, ''))",
    "($b := $pad('x', 1e6, 'x'); $match($b, /x/))",
    // Pictures
    "$formatInteger(1e15, 'I')",
    "$formatInteger(1e300, 'w')",
    "$fromMillis(0, '[Y,9999999-9999999]')",
    "$fromMillis(1e300)",
    "$formatNumber(1e300, $pad('0', 1e6, '0'))",
    "$parseInteger($pad('one ', 1e6, 'million '), 'w')",
    "$toMillis('2020', '[Y0,9999999-*]')",
    // Regexes
    "$contains($pad('a', 1e6, 'a') & 'b', /(a+)+$/)",
    "$contains('a', /a{1000}{1000}/)",
    "$match($pad('a', 2e5, 'a'), /(a?){900}b/)",
    "$map([1..1e5], function($i) { $contains($string($i), /\\p{L}{1,60}x/) })",
    // Lists of lists
    "[1..1e4].[1..1e4]",
    "[1..500].([1..2000].{'a': $})",
    "[1..2e5].{'a': $, 'b': $, 'c': [$, $]}",
    "$map([1..1e5], function() { [1..1e5] })",
    "($b := [1..1e5]; $map($b, function() { $b }))",
    "($b := [1..1e5]; $b.$b)",
    "($b := [1..1e5]; $b.[$b])",
    "($b := [1..1e5]; $b.(true ? $b : 1))",
    "($b := [1..1e5]; $b.($x := $b))",
    "($b := [1..1e5]; $f := function() { $b }; $b.$f())",
    "($o := {'b': [1..1e5]}; [1..1e5].($o).b)",
    "($o := {'b': [1..1e5]}; [1..1e5].$o.*)",
    "($b := [1..1e5]; $map($b, $append(?, $b)))",
    "($b := [1..1e5]; $map($b, function() { $b ~> $distinct }))",
    "($b := [1..1e5].{'x': $}; $map([1..1e4], function() { $b.x }))",
    "$zip([1..1e5], [1..1e5], [1..1e5])",
    "$spread([1..1e5].{'a': $, 'b': $})",
    "$distinct([1..2e5])",
    "$keys($map([1..1e5], function($i) { {$string($i): 1} }))",
    "[1..1e5]{$string($): $}",
    "$sort([1..2e5], function($a, $b) { $a < $b })",
    "$shuffle([1..2e5])",
    "[1..1e5][$ in [1..1e5]]",
    // Structures that share their parts, and so are larger than they look
    "$string($reduce([1..60], function($a, $_) { {'l': $a, 'r': $a} }, 1))",
    "$string($reduce([1..40], function($a, $_) { [[$a], [$a]] }, 1))",
    "$reduce([1..40], function($a, $_) { $zip($a, $a) }, [1, 2])",
    "$reduce([1..40], function($a, $_) { $append($a, $a) }, [1])",
    "$reduce([1..40], function($a, $_) { $a ~> |$|{'k': $a}| }, {'x': 1})",
    "$count($reduce([1..100], function($a, $_) { {'n': $a} }, 1).**.**.**.**)",
    // Joins
    "($a := [1..1000].{'i': $}; $a@$x.$a@$y.$a@$z.($x.i + $y.i + $z.i))",
    "{'i': [1..3000].{'j': $}}.i.%.i.j",
    "([1..1000]#$i)@$x.([1..1000])#$j",
    // Recursion and closures
    "($f := function($x) { $f($x) }; $f(1))",
    "($f := function($x) { 1 + $f($x) }; $f(1))",
    "($f := function($n, $a) { $f($n + 1, {'n': $a}) }; $f(0, 0))",
    "($f := function($n, $a) { $f($n + 1, function() { $a }) }; $f(0, 0))",
    "($y := function($f) { $f($f) }; $y($y))",
    "$map([1..1e5], function($i) { $map([1..1e5], function($j) { $i * $j }) })",
    "($m := function($s) { {'match': 'a', 'start': 0, 'end': 0, 'groups': [], 'next': function() { $m($s) }} }; $match('a', $m))",
    // Expressions made at run time
    "$eval('[1..1e7]')",
    "$eval($pad('(', 1e6, '('))",
    "$map([1..1e5], function() { $eval('[1..1e5]') })",
    "$eval('($f := function($x) { $f($x) }; $f(1))')",
    "($e := $eval; $e('$pad(\"x\", 1e9)'))",
];

/// Texts that are hostile by their shape.
fn shapes() -> Vec<String> {
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(5_000), close.repeat(5_000));
    let doubling = (1..60).fold(String::new(), |text, n| text + &format!("$a{n} := $a{0} & $a{0};", n - 1));
    vec![
        nested("(", ")"),
        nested("[", "]"),
        nested("{\"a\":", "}"),
        nested("$f(", ")"),
        format!("\"{}\"", "a".repeat(100_000)),
        format!("{}1", "-".repeat(32_000)),
        format!("{}c", "a?b:".repeat(8_000)),
        vec!["a"; 10_000].join("."),
        vec!["1"; 10_000].join("+"),
        vec!["$a"; 8_000].join(":="),
        vec!["$x"; 8_000].join("~>"),
        "function(){".repeat(2_900),
        format!("a{}", "[0]".repeat(10_000)),
        format!("($a0 := 'some text'; {doubling} $length($a59))"),
        format!("$string(a{})", ".{'l': $, 'r': $}".repeat(60)),
        format!("($b := [1..1e5]; [{}])", vec!["$b"; 5_000].join(",")),
        format!("[{}]", vec!["1..1e5"; 2_000].join(",")),
    ]
}

#[test]
fn no_expression_takes_more_than_its_share() {
    let all: Vec<String> = HOSTILE.iter().map(|source| (*source).to_owned()).chain(shapes()).collect();
    let failures: Vec<String> = all.iter().filter_map(|source| check(source).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Runs this very program on one expression.
fn check(source: &str) -> Result<(), String> {
    let name: String = source.chars().take(100).collect();
    let output = Command::new(env::current_exe().expect("a path"))
        .args(["--exact", "evaluates_the_expression_it_is_given", "--ignored", "--nocapture"])
        .env(VARIABLE, source)
        .output()
        .expect("the test program runs");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let number = |key: &str| -> Option<u64> {
        text.lines().find_map(|line| line.split_once(key))?.1.split_whitespace().next()?.parse().ok()
    };
    match (number("took_ms="), number("held_kb=")) {
        (Some(ms), Some(kb))
            if ms <= SECONDS * 1000 && kb <= MEGABYTES * 1024 && text.contains("still alive") =>
        {
            Ok(())
        }
        (Some(ms), Some(kb)) => Err(format!("{name}: {ms} ms, {kb} KB")),
        _ => Err(format!("{name}: died\n{text}")),
    }
}

#[test]
#[ignore = "run by the other test, in a process of its own"]
fn evaluates_the_expression_it_is_given() {
    let source = env::var(VARIABLE).expect("an expression");
    let watchdog = Duration::from_secs(4 * SECONDS);
    thread::spawn(move || {
        thread::sleep(watchdog);
        std::process::exit(1);
    });
    let started = Instant::now();
    let outcome = evaluate(&source);
    let took = started.elapsed().as_millis();
    drop(outcome);
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak").trim();
    assert_eq!(evaluate("1 + 1"), Ok(Some(json!(2))));
    println!("took_ms={took} held_kb={peak} still alive");
}

fn evaluate(source: &str) -> Result<Option<serde_json::Value>, String> {
    let entropy = Entropy { now: DateTime::UNIX_EPOCH, seed: [1; 32] };
    Expr::parse(source)
        .and_then(|expr| expr.evaluate_data(Some(&json!({"a": {"b": 1}})), &Map::new(), &entropy))
        .map_err(|error| error.to_string())
}
