//! A table of JSONata: the language as the interpreter and the guard around it speak it.

use serde_json::{Map, Value, json};

use super::{entropy, evaluate};
use crate::expr::Expr;

fn library() -> Value {
    json!({
        "name": "Loom",
        "tags": ["a", "b", "c"],
        "price": 12.5,
        "shelf": {"row": {"width": 3}},
        "books": [
            {"title": "Weft", "author": "Ida", "pages": 120, "loans": [{"by": "x"}, {"by": "y"}]},
            {"title": "Warp", "author": "Jon", "pages": 80, "loans": [{"by": "x"}]},
            {"title": "Heddle", "author": "Ida", "pages": 200, "loans": []},
        ],
        "people": [{"id": "x", "age": 30}, {"id": "y", "age": 40}],
    })
}

/// The value of an expression over the library, as compact JSON; `undefined`; or the code of its error.
fn check(expr: &str, expected: &str) {
    let actual = match evaluate(expr, &library()) {
        Ok(Some(value)) => value.to_string(),
        Ok(None) => "undefined".to_owned(),
        Err(error) => error.code,
    };
    assert_eq!(actual, expected, "{expr}");
}

#[test]
fn paths_and_predicates_select() {
    check("name", r#""Loom""#);
    check("shelf.row.width", "3");
    check("shelf.nothing.width", "undefined");
    check("`shelf`.row", r#"{"width":3}"#);
    check("books.title", r#"["Weft","Warp","Heddle"]"#);
    check("books[0].title", r#""Weft""#);
    check("books[-1].title", r#""Heddle""#);
    check("books[pages > 100].title", r#"["Weft","Heddle"]"#);
    check("books[author = 'Jon'].title", r#""Warp""#);
    check("books[author = 'Jon'].title[]", r#"["Warp"]"#);
    check("books[[0..1]].pages", "[120,80]");
    check("tags[]", r#"["a","b","c"]"#);
    check("books.loans.by", r#"["x","y","x"]"#);
    check("shelf.*.width", "3");
    check("**.by", r#"["x","y","x"]"#);
    check("$.name", r#""Loom""#);
    check("books.(pages / 2)", "[60,40,100]");
    check("books[title in ['Warp', 'Weft']].pages", "[120,80]");
}

#[test]
fn operators_compute() {
    check("1 + 2 * 3 - 4 / 8 % 3", "6.5");
    check("price >= 12 and $not(false) or nothing", "true");
    check("name & '-' & price & nothing", r#""Loom-12.5""#);
    check("[1..4]", "[1,2,3,4]");
    check("nothing ?: 'else'", r#""else""#);
    check("nothing ?? 'else'", r#""else""#);
    check("price > 10 ? 'dear' : 'cheap'", r#""dear""#);
    check("($a := 2; $b := $a * 3; $a + $b)", "8");
    check("'a' + 1", "T2001");
    check("1 < 'a'", "T2009");
}

#[test]
fn structures_are_built_in_order() {
    check("{'z': 1, 'a': [2, {'k': null}]}", r#"{"z":1,"a":[2,{"k":null}]}"#);
    check("(books.{'t': title, 'n': $count(loans)})[1]", r#"{"t":"Warp","n":1}"#);
    check("books{author: $sum(pages)}", r#"{"Ida":320,"Jon":80}"#);
    check("books{author: title}", r#"{"Ida":["Weft","Heddle"],"Jon":"Warp"}"#);
    check("books^(pages).title", r#"["Warp","Weft","Heddle"]"#);
    check("books^(>author, <pages).title", r#"["Warp","Weft","Heddle"]"#);
    check("$ ~> |shelf.row|{'deep': true}, 'width'| ~> $lookup('shelf')", r#"{"row":{"deep":true}}"#);
    check("[[1, 2], [3]]", "[[1,2],[3]]");
    check("[tags, 'd']", r#"["a","b","c","d"]"#);
}

#[test]
fn bindings_reach_parents_positions_and_joins() {
    check(
        "books.loans.{'by': by, 'of': %.title}",
        r#"[{"by":"x","of":"Weft"},{"by":"y","of":"Weft"},{"by":"x","of":"Warp"}]"#,
    );
    check("books#$i[$i > 0].{'i': $i, 't': title}", r#"[{"i":1,"t":"Warp"},{"i":2,"t":"Heddle"}]"#);
    check("books@$b.people@$p[$p.id in $b.loans.by].($b.title & $p.age)", r#"["Weft30","Weft40","Warp30"]"#);
}

#[test]
fn functions_are_values() {
    check("$map(tags, function($t, $i) { $t & $i })", r#"["a0","b1","c2"]"#);
    check("$filter(books, function($b) { $b.pages < 150 }).title", r#"["Weft","Warp"]"#);
    check("$reduce(books.pages, function($a, $p) { $a + $p }, 1)", "401");
    check("$single(books, function($b) { $b.pages = 80 }).title", r#""Warp""#);
    check("$sort(books, function($a, $b) { $a.pages > $b.pages }).pages", "[80,120,200]");
    check("$each(shelf, function($v, $k) { $k & $count($keys($v)) })[]", r#"["row1"]"#);
    check("$sift({'a': 1, 'b': 2}, function($v) { $v > 1 })", r#"{"b":2}"#);
    check("($double := function($x) { $x * 2 }; tags.$length($) ~> $map($double))", "[2,2,2]");
    check("($first := $substring(?, 0, 1); $map(books.title, $first))", r#"["W","W","H"]"#);
    check("($dash := $replace(?, 'e', '-'); $dash('Heddle'))", r#""H-ddl-""#);
    check("($shout := $uppercase ~> $trim; $shout(' hi '))", r#""HI""#);
    check("(function($n) { $n + 1 })(41)", "42");
    check("($fib := function($n) { $n < 2 ? $n : $fib($n - 1) + $fib($n - 2) }; $fib(12))", "144");
    check("($down := function($n) { $n = 0 ? 'done' : $down($n - 1) }; $down(20000))", r#""done""#);
    check("function($match) { $match }(5)", "5");
    check("$sum", "undefined");
}

#[test]
fn text_functions_work() {
    check("$substringBefore('warp-weft', '-') & $substringAfter('warp-weft', '-')", r#""warpweft""#);
    check("$split('a, b,c', /,\\s*/)", r#"["a","b","c"]"#);
    check("tags ~> $join('+')", r#""a+b+c""#);
    check("$match('a1b22', /[0-9]+/).match", r#"["1","22"]"#);
    check("$replace('2026-01', /([0-9]+)-([0-9]+)/, '$2/$1')", r#""01/2026""#);
    check("$replace('abc', /b/, function($m) { $uppercase($m.match) })", r#""aBc""#);
    check("$contains('Heddle', /DD/i)", "true");
    check("$pad('7', -3, '0')", r#""007""#);
    check("$length('größe')", "5");
    check("$base64decode($base64encode('loom'))", r#""loom""#);
    check("$encodeUrlComponent('a b&c')", r#""a%20b%26c""#);
    check("$string({'a': [1, 2.5, null]})", r#""{\"a\":[1,2.5,null]}""#);
    check("$eval('[1, pages]', books[1])", "[1,80]");
}

#[test]
fn number_and_date_functions_work() {
    check("$round(2.5) & $round(3.456, 2)", r#""23.46""#);
    check("$power(2, 10)", "1024");
    check("$power(10, 400)", "D3061");
    check("$sqrt(-1)", "D3060");
    check("$formatNumber(1234.5, '#,##0.00')", r#""1,234.50""#);
    check("$formatInteger(1999, 'I')", r#""MCMXCIX""#);
    check("$parseInteger('twelve', 'w')", "12");
    check("$formatBase(255, 16)", r#""ff""#);
    check("$number('0x1f')", "31");
    check("$max([3, 9, 4]) - $average([1, 2, 3])", "7");
    check("$fromMillis(0)", r#""1970-01-01T00:00:00.000Z""#);
    check("$fromMillis(0, '[D01]/[M01]/[Y0001]')", r#""01/01/1970""#);
    check("$toMillis('2026-01-02T03:04:05.006Z')", "1767323045006");
}

#[test]
fn list_functions_work() {
    check("$append(tags, 'd') ~> $reverse", r#"["d","c","b","a"]"#);
    check("$distinct(books.author)", r#"["Ida","Jon"]"#);
    check("$count($distinct([1..5000]))", "5000");
    check(
        "$distinct($append([1..200], $append([1..200], {'a': 1, 'b': 2}), {'b': 2, 'a': 1})) ~> $count",
        "T0410",
    );
    check("$count($distinct($append($append([1..200], {'a': 1, 'b': 2}), {'b': 2, 'a': 1})))", "201");
    check("$zip([1, 2], ['a', 'b'])", r#"[[1,"a"],[2,"b"]]"#);
    check("$merge([{'a': 1}, {'b': 2}, {'a': 3}])", r#"{"a":3,"b":2}"#);
    check("$spread({'a': 1, 'b': 2})", r#"[{"a":1},{"b":2}]"#);
    check("$keys(shelf)", r#""row""#);
    check("$clone(shelf)", r#"{"row":{"width":3}}"#);
    check("$type(nothing) & $type(null) & $type(tags)", r#""nullarray""#);
    check("$error('stop')", "D3137");
}

#[test]
fn time_and_chance_come_from_the_record() {
    check("$now()", r#""2026-01-02T03:04:05.006Z""#);
    check("$now('[Y]')", r#""2026""#);
    check("$millis()", "1767323045006");
    check("$count($distinct($map([1..100], $now)))", "1");
    let draw = "{'r': [1..3].$random(), 's': $shuffle([1..20])}";
    let first = evaluate(draw, &Value::Null).expect("evaluates").expect("a value");
    let again = evaluate(draw, &Value::Null).expect("evaluates").expect("a value");
    assert_eq!(first, again);
    assert_ne!(first["r"][0], first["r"][1]);
    assert_ne!(first["s"], json!((1..=20).collect::<Vec<_>>()));
    let mut other = entropy();
    other.seed[0] = 8;
    let expr = Expr::parse(draw).expect("parses");
    assert_ne!(expr.evaluate_data(None, &Map::new(), &other).expect("evaluates").expect("a value"), first);
}

#[test]
fn bindings_are_variables() {
    let expr = Expr::parse("$x + $y.z + a").expect("parses");
    let Value::Object(bindings) = json!({"x": 1, "y": {"z": 2}}) else { unreachable!() };
    assert_eq!(expr.evaluate_data(Some(&json!({"a": 3})), &bindings, &entropy()), Ok(Some(json!(6))));
    let Value::Object(pad) = json!({"pad": 1}) else { unreachable!() };
    let refused = Expr::parse("$pad").and_then(|expr| expr.evaluate_data(None, &pad, &entropy()));
    assert_eq!(refused.map_err(|error| error.code), Err("unsupported".to_owned()));
}
