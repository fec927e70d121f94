//! `{{ }}` in text and in JSON.

use serde_json::{Value, json};

use super::{entropy, with_scope};
use crate::expr::{Expr, Scope, Template, TemplateTree};

fn check(text: &str, expected: Value) {
    let rendered = Template::parse(text).and_then(|template| with_scope(|scope| template.render(scope)));
    assert_eq!(rendered.map_err(|error| format!("{error} at {:?}", error.offset)), Ok(expected), "{text}");
}

#[test]
fn one_expression_keeps_its_type() {
    check("{{ input.customer.orders[*].id }}", json!([1, 2, 3]));
    check("{{input.customer.orders[*].total}}", json!([10, 2.5, 40]));
    check("{{ input.customer.orders[total > 5].id }}", json!([1, 3]));
    check("{{ input.customer.orders[total > $base.params.least].id }}", json!([1, 3]));
    check("{{ $sum(input.customer.orders.total) }}", json!(52.5));
    check("{{ base.nodes.fetch.status }}", json!(200));
    check("{{ base.nodes.fetch.status = 200 }}", json!(true));
    check("{{ input.none }}", Value::Null);
    check("{{ input.missing }}", Value::Null);
    check("{{ {\"a\": {\"b\": input.customer.name}} }}", json!({"a": {"b": "Ada"}}));
    check("{{ {\"a\":{}}}}", json!({"a": {}}));
}

#[test]
fn an_expression_that_only_names_a_value_hands_it_on_untouched() {
    check("{{ input.big }}", json!(9_007_199_254_740_993_u64));
    check("{{ input.empty }}", json!([]));
    check("{{ input.one }}", json!([5]));
}

#[test]
fn plain_paths_agree_with_the_interpreter() {
    for path in [
        "input.customer",
        "input.customer.name",
        "input.customer.orders.id",
        "input.none",
        "input.none.x",
        "input.empty",
        "input.one",
        "input.missing.more",
        "base.time",
        "item",
        "input.customer.name.x",
        "base.nodes.fetch",
    ] {
        let plain = Expr::parse(path).expect("parses");
        let through_engine = Expr::parse(&format!("({path})")).expect("parses");
        with_scope(|scope| assert_eq!(plain.evaluate(scope), through_engine.evaluate(scope), "{path}"));
    }
}

#[test]
fn with_text_around_values_become_text() {
    check("Hello {{ input.customer.name }}!", json!("Hello Ada!"));
    check("{{ input.customer.name }} {{ input.customer.name }}", json!("Ada Ada"));
    check(" {{ 1 + 1 }}", json!(" 2"));
    check("a{{ input.missing }}b{{ input.none }}c{{ true }}", json!("abnullctrue"));
    check("n={{ 2.50 }}, l={{ [1, \"x\"] }}, o={{ {\"k\": 1} }}", json!("n=2.5, l=[1,\"x\"], o={\"k\":1}"));
    check("no expression, }} and { alone", json!("no expression, }} and { alone"));
    check("", json!(""));
    check("two braces: {{ \"{{\" }}", json!("two braces: {{"));
}

#[test]
fn braces_inside_literals_belong_to_the_expression() {
    check("{{ \"}}\" & '}}' }}", json!("}}}}"));
    check("{{ \"\\\"}}\" }}", json!("\"}}"));
    check("{{ $replace('a}}b', /}}/, '') }}", json!("ab"));
    check("{{ {'}}': 1}.`}}` }}", json!(1));
    check("{{ 1 /* }} */ }}", json!(1));
    check("{{ 8 / 4 / 2 }} {{ 'x' }}", json!("1 x"));
    check("{{ $contains('[*]', '[*]') }}", json!(true));
    check("{{ $match('a', /[*a]/).match }}", json!("a"));
}

#[test]
fn errors_say_where_in_the_text() {
    let at = |text: &str| {
        let error = Template::parse(text).expect_err(text);
        (error.code, error.offset)
    };
    let case = |code: &str, offset| (code.to_owned(), Some(offset));
    assert_eq!(at("Grüße {{ 1 + }}"), case("S0207", 12));
    assert_eq!(at("Grüße {{ 1 ) }}"), case("S0201", 11));
    assert_eq!(at("ok {{ 1 }} bad {{ a b }}"), case("S0201", 20));
    assert_eq!(at("x {{ never"), case("template", 2));
    assert_eq!(at("x {{ 'never }}"), case("S0101", 5));
    assert_eq!(at("x {{ a } b }}"), case("template", 7));
    assert_eq!(at("{{ input.orders[*].id + }}"), case("S0207", 23));
    let failing = Template::parse("total: {{ 1 + 'a' }}").expect("parses");
    let error = with_scope(|scope| failing.render(scope)).expect_err("fails");
    assert_eq!((error.code.as_str(), error.offset), ("T2002", Some(9)));
}

#[test]
fn a_field_is_one_expression_with_or_without_braces() {
    for text in [
        "input.customer.orders[*].id",
        "{{ input.customer.orders[*].id }}",
        "  {{input.customer.orders[*].id}} ",
    ] {
        let expr = Expr::parse_field(text).expect("parses");
        assert_eq!(with_scope(|scope| expr.evaluate(scope)), Ok(Some(json!([1, 2, 3]))), "{text}");
    }
    let code = |text| Expr::parse_field(text).map_err(|error| (error.code, error.offset)).err();
    assert_eq!(code("a +"), Some(("S0207".to_owned(), Some(3))));
    assert_eq!(code("{{ a }} and {{ b }}"), Some(("template".to_owned(), None)));
    assert_eq!(code("{{ a + }}"), Some(("S0207".to_owned(), Some(6))));
}

#[test]
fn a_tree_renders_every_string_and_keeps_the_order() {
    let tree = json!({"z": "{{ input.customer.name }}", "a": [1, "{{ base.params.least }}", {"k/~": "<{{ 1 }}>"}], "{{ k }}": null});
    let rendered = with_scope(|scope| TemplateTree::parse(&tree).expect("parses").render(scope));
    let expected = json!({"z": "Ada", "a": [1, 5, {"k/~": "<1>"}], "{{ k }}": null});
    assert_eq!(rendered.map(|value| value.to_string()), Ok(expected.to_string()));
}

#[test]
fn a_tree_reports_all_errors_with_their_pointers() {
    let tree = json!({"a": "{{ 1 + }}", "b": ["fine", "{{", {"k/~": "{{ ) }}"}]});
    let errors = TemplateTree::parse(&tree).expect_err("three errors");
    let places: Vec<_> = errors.iter().map(|(pointer, error)| (pointer.as_str(), error.offset)).collect();
    assert_eq!(places, [("/a", Some(6)), ("/b/1", Some(0)), ("/b/2/k~1~0", Some(3))]);
    let failing = TemplateTree::parse(&json!({"x": ["{{ $error('no') }}"]})).expect("parses");
    let (pointer, error) = with_scope(|scope| failing.render(scope)).expect_err("fails");
    assert_eq!((pointer.as_str(), error.code.as_str(), error.message.as_str()), ("/x/0", "D3137", "no"));
}

#[test]
fn items_are_seen_beside_input_and_base() {
    let (input, base, item) = (json!({"f": 10}), json!({"params": {"g": 100}}), json!({"n": 1}));
    let scope = Scope::new(Some(&input), &base, entropy());
    let render =
        |text: &str, index| Template::parse(text).expect("parses").render(&scope.with_item(&item, index));
    assert_eq!(render("{{ item.n + index + input.f + base.params.g }}", 2), Ok(json!(113)));
    assert_eq!(render("{{ [item].(n + $index + $input.f) }}", 2), Ok(json!(13)));
    assert_eq!(render("{{ item.n }}", 0), Ok(json!(1)));
    assert_eq!(render("{{ index }}", 4), Ok(json!(4)));
    assert_eq!(render("{{ $random() }}", 1), render("{{ $random() }}", 1));
    assert_ne!(render("{{ $random() }}", 1), render("{{ $random() }}", 2));
}

#[test]
fn without_an_input_the_name_is_undefined() {
    let base = json!({});
    let scope = Scope::new(None, &base, entropy());
    for source in ["input", "input.x", "(input)", "item", "(index)"] {
        assert_eq!(Expr::parse(source).expect("parses").evaluate(&scope), Ok(None), "{source}");
    }
}

#[test]
fn each_part_of_a_document_draws_its_own_numbers() {
    let tree = TemplateTree::parse(&json!([
        "{{ $random() }}",
        "{{ $random() }}",
        "{{ $random() }}-{{ $random() }}"
    ]))
    .expect("parses");
    let first = with_scope(|scope| tree.render(scope)).expect("renders");
    assert_eq!(with_scope(|scope| tree.render(scope)), Ok(first.clone()));
    assert_ne!(first[0], first[1]);
    let (left, right) = first[2].as_str().and_then(|text| text.split_once('-')).expect("two numbers");
    assert_ne!(left, right);
}
