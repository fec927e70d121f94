//! The palette's schemas against the validator (NOD-19, NOD-01): they can't disagree on what a schema can say.

use std::collections::BTreeSet;

use engine::{
    nodes::{self, Group, Kind, TYPES},
    palette::{PaletteEntry, palette},
};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// What only the validator can say: that texts parse, that names are not there twice, that a schema is one.
const BEYOND_A_SCHEMA: [&str; 6] =
    ["expression", "secret_not_allowed", "duplicate_label", "wrong_schema", "wrong_body", "too_many_nodes"];

fn accepts(entry: &PaletteEntry, metadata: &Map<String, Value>) -> bool {
    let node_type = nodes::find(entry.node_type).unwrap();
    let (_, problems) = nodes::read(node_type, metadata);
    problems.iter().all(|problem| BEYOND_A_SCHEMA.contains(&problem.code))
}

fn validator(entry: &PaletteEntry) -> Validator {
    jsonschema::options().build(&entry.metadata).unwrap()
}

#[test]
fn every_example_and_default_is_valid_by_both() {
    for entry in palette() {
        let (schema, example) = (validator(&entry), entry.example.as_object().unwrap());
        assert!(!example.is_empty() && schema.is_valid(&entry.example), "{}", entry.node_type);
        let (_, problems) = nodes::read(nodes::find(entry.node_type).unwrap(), example);
        assert_eq!(problems, [], "{}", entry.node_type);
        for (name, default) in &entry.defaults {
            let field = &entry.metadata["properties"][name];
            assert!(jsonschema::is_valid(field, default), "{}.{name}", entry.node_type);
            let mut whole = example.clone();
            whole.insert(name.clone(), default.clone());
            assert!(accepts(&entry, &whole), "{}.{name}", entry.node_type);
        }
    }
}

#[test]
fn the_palette_is_the_registry_in_four_groups() {
    let entries = palette();
    assert_eq!(entries.len(), TYPES.len());
    let groups: BTreeSet<_> =
        entries.iter().map(|entry| serde_json::to_string(&entry.group).unwrap()).collect();
    assert_eq!(groups.len(), 4);
    for (entry, node_type) in entries.iter().zip(TYPES) {
        assert_eq!((entry.node_type, entry.group), (node_type.name(), node_type.group()));
        assert!(!entry.label.is_empty() && entry.help.ends_with('.'));
        let fields: BTreeSet<_> = node_type.fields().iter().map(|field| field.name).collect();
        let properties = entry.metadata["properties"].as_object().unwrap();
        assert_eq!(properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), fields);
    }
    let get = entries.iter().find(|entry| entry.node_type == "get_api").unwrap();
    assert_eq!(
        (get.group, get.output["properties"]["status"].clone()),
        (Group::Actions, json!({"type": "number"}))
    );
    let ask = entries.iter().find(|entry| entry.node_type == "approval").unwrap();
    assert_eq!(ask.labels, ["approved", "rejected"]);
}

/// Values that a field of a kind might hold, right and wrong.
fn value(kind: Kind) -> BoxedStrategy<Value> {
    let word = prop::sample::select(vec![
        "",
        "a",
        "error",
        "{{ input.x }}",
        "https://example.com",
        " HTTP://x",
        "ftp://x",
        "2xx",
        "7xx",
    ]);
    let wrong = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3i64..700).prop_map(Value::from),
        Just(json!(2.5)),
        word.clone().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!({"a": 1})),
        prop::collection::vec(
            prop_oneof![(90i64..610).prop_map(Value::from), word.clone().prop_map(Value::from)],
            0..3
        )
        .prop_map(Value::from),
        (prop::sample::select(vec!["bearer", "basic", "header", "x"]), any::<[bool; 3]>()).prop_map(
            |(kind, has)| {
                let mut auth = json!({"type": kind});
                let names =
                    [["token", "username", "name"], ["value", "password", "token"], ["name", "value", "x"]];
                for (i, has) in has.into_iter().enumerate() {
                    if has {
                        auth[names[i][i]] = json!("x");
                        auth[names[1][1]] = json!(if i == 2 { json!(1) } else { json!("y") });
                    }
                }
                auth
            }
        ),
        prop::sample::select(vec![
            json!({"role": "admin"}),
            json!({"role": "king"}),
            json!({"members": ["x"]}),
            json!({"members": [1]}),
            json!({"members": []}),
            json!({"role": "admin", "members": []}),
            json!({"type": "bearer", "token": "x"}),
            json!({"type": "object"}),
        ]),
    ];
    let right = match kind {
        Kind::Expression | Kind::Text => prop::sample::select(vec!["1", "{{ input }}", "https://a.example"]).prop_map(Value::from).boxed(),
        Kind::Cases => prop::collection::vec((word.clone(), any::<u8>()), 0..3)
            .prop_map(|cases| {
                let case = |(i, (label, odd)): (usize, (&str, u8))| {
                    let mut case = json!({"label": format!("{label}{}", if odd > 30 { i.to_string() } else { String::new() }), "when": "true"});
                    match odd % 16 {
                        0 => case["more"] = json!(1),
                        1 => case["when"] = json!(1),
                        _ => {}
                    }
                    case
                };
                Value::Array(cases.into_iter().enumerate().map(case).collect())
            })
            .boxed(),
        Kind::Parts => prop::collection::btree_map(word, Just(json!("1")), 0..3)
            .prop_map(|parts| Value::Object(parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect()))
            .boxed(),
        Kind::Integer { min, max } => prop::sample::select(vec![min - 1, min, max, max + 1]).prop_map(Value::from).boxed(),
        Kind::OneOf(words) => prop::sample::select(words.to_vec()).prop_map(Value::from).boxed(),
        Kind::Id(_) => prop::sample::select(vec!["01961234-5678-7abc-8def-0123456789ab", "0196123456787abc8def0123456789ab"])
            .prop_map(Value::from)
            .boxed(),
        Kind::Bool => any::<bool>().prop_map(Value::from).boxed(),
        _ => wrong.clone().boxed(),
    };
    prop_oneof![3 => right, 1 => wrong].boxed()
}

/// A type's place in the palette, and metadata of some of its fields and perhaps another.
fn metadata() -> impl Strategy<Value = (usize, Map<String, Value>)> {
    (0..TYPES.len()).prop_flat_map(|place| {
        let fields = TYPES[place].fields().iter().map(|field| {
            let share = if field.required { 0.9 } else { 0.4 };
            prop::option::weighted(share, value(field.kind))
                .prop_map(|value| value.map(|value| (field.name, value)))
        });
        let more = prop::option::weighted(0.05, Just(("another", json!(1))));
        (fields.collect::<Vec<_>>(), more).prop_map(move |(fields, more)| {
            let all = fields.into_iter().flatten().chain(more);
            (place, all.map(|(name, value)| (name.to_owned(), value)).collect())
        })
    })
}

#[test]
fn schema_and_validator_agree_on_random_metadata_of_every_type() {
    let entries = palette();
    let schemas: Vec<_> = entries.iter().map(validator).collect();
    let seen = std::cell::Cell::new([0_u32; 2]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(20_000));
    let checked = runner.run(&metadata(), |(place, metadata)| {
        let (entry, value) = (&entries[place], Value::Object(metadata.clone()));
        let (by_schema, by_validator) = (schemas[place].is_valid(&value), accepts(entry, &metadata));
        prop_assert_eq!(by_schema, by_validator, "{} {}", entry.node_type, value);
        let mut counts = seen.get();
        counts[usize::from(by_schema)] += 1;
        seen.set(counts);
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
    assert!(seen.get().iter().all(|count| *count > 2_000), "{:?}", seen.get());
}
