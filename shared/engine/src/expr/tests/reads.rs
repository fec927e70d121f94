//! Which nodes and secrets an expression names.

use serde_json::json;

use crate::expr::{Expr, Reads, TemplateTree};

/// `nodes` and `secrets` as words; `*` for all nodes.
fn check(source: &str, nodes: &str, secrets: &str) {
    let mut reads = Expr::parse_field(source).expect(source).reads();
    reads.moment = false;
    let words = |text: &str| text.split_whitespace().filter(|word| *word != "*").map(str::to_owned).collect();
    let expected =
        Reads { nodes: words(nodes), all: nodes.contains('*'), secrets: words(secrets), ..Reads::default() };
    assert_eq!(reads, expected, "{source}");
}

#[test]
fn named_nodes_are_told_apart() {
    check("input.x + 1", "", "");
    check("base.params.x & base.time", "", "");
    check("base.nodes.a.x + base.nodes.b", "a b", "");
    check("base.nodes.`odd_key`.x", "odd_key", "");
    check("$.base.nodes.a", "a", "");
    check("$$.base.nodes.a.x", "a", "");
    check("$base.nodes.a.x", "a", "");
    check("base.nodes.list[x > 1].y", "list", "");
    check("base.nodes.list[x in $$.base.nodes.ids]", "list ids", "");
    check("input.items.{'n': $base.nodes.a}", "a", "");
    check("$map(input.items, function($i) { $i.x = base.nodes.a.y })", "a", "");
    check("$lookup(base.nodes.a, 'x') ~> $count()", "a", "");
    check("input.orders.base", "", "");
    check("input.orders[base > 3]", "", "");
    check("input.a.b.%.x", "", "");
    check("($n := base.nodes.a; $n.x)", "a", "");
    check("base.nodes.a^(x){y: z}", "a", "");
}

#[test]
fn what_can_not_be_told_is_all() {
    for source in [
        "base",
        "base.nodes",
        "base.nodes[$k]",
        "$lookup(base.nodes, 'a')",
        "$$",
        "$",
        "$string()",
        "base.*",
        "**.a",
        "*",
        "$keys()",
        "base.nodes.*",
        "base.nodes.(a)",
        "($b := base; $b.nodes.a)",
        "{'b': base}",
        "$base",
        "$eval('base.nodes.a')",
        "input.%.base.nodes",
        "input.x.%.%",
        "base[0].nodes.a",
        "$lookup('base')",
        "$$[0].x",
        "base.nodes[0].a",
        "$.*",
        "$.(base)",
        "$map([1], function($x) { $ })",
    ] {
        assert!(Expr::parse(source).expect(source).reads().all, "{source}");
    }
}

#[test]
fn what_differs_from_run_to_run_is_told() {
    for source in [
        "$now()",
        "$map([1], $random)",
        "base.time",
        "$base.run.id",
        "input[x > $millis()]",
        "$$",
        "$shuffle([1, 2])",
    ] {
        assert!(Expr::parse(source).expect(source).reads().moment, "{source}");
    }
    for source in ["input.time", "base.params.now", "base.nodes.a.time", "$sum(input.x)", "'$now()'"] {
        assert!(!Expr::parse(source).expect(source).reads().moment, "{source}");
    }
}

#[test]
fn secrets_are_named() {
    check("'Bearer ' & secret.TOKEN", "", "TOKEN");
    check("{{ secret.A & base.nodes.x.y }}", "x", "A");
    check("input.secret.NAME", "", "");
}

#[test]
fn a_tree_reads_what_its_strings_read() {
    let tree = json!({"a": "{{ base.nodes.a }}", "b": ["x {{ base.nodes.b.y }} {{ secret.S }}", 1]});
    let reads = TemplateTree::parse(&tree).expect("parses").reads();
    let expected = Reads {
        nodes: ["a".to_owned(), "b".to_owned()].into(),
        all: false,
        secrets: ["S".to_owned()].into(),
        moment: false,
    };
    assert_eq!(reads, expected);
}
