//! Single-field mutations of a workflow: one name changed, one left out, one kind changed.

use serde_json::{Map, Value, json};

use crate::drive::Fixture;

/// A workflow with one mistake.
pub(crate) struct Mutation {
    pub(crate) what: String,
    pub(crate) fixture: Fixture,
}

/// Every mutation of the inputs' schema, of outputs' schemas, of the fields that mappings make, and of the names in expressions.
pub(crate) fn mutations(fixture: &Fixture) -> Vec<Mutation> {
    let mut all = Vec::new();
    of_inputs(fixture, &mut all);
    of_answers(fixture, &mut all);
    let mut places = Vec::new();
    strings(&fixture.graph, "", &mut places);
    for place in &places {
        of_expression(fixture, place, &mut all);
    }
    of_mappings(fixture, &mut all);
    all
}

fn push(all: &mut Vec<Mutation>, what: String, fixture: Fixture) {
    all.push(Mutation { what, fixture });
}

/// The schema of the inputs changes, and who starts runs goes along.
fn of_inputs(fixture: &Fixture, all: &mut Vec<Mutation>) {
    let schema = Value::Object(fixture.input_params.clone());
    for change in changes(&schema, &fixture.example.inputs) {
        let mut changed = fixture.clone();
        changed.input_params.clone_from(change.schema.as_object().unwrap());
        changed.example.inputs = change.value;
        push(all, format!("inputs: {}", change.what), changed);
    }
}

/// What an API answers changes, and the schema of its node goes along.
fn of_answers(fixture: &Fixture, all: &mut Vec<Mutation>) {
    for (i, node) in fixture.graph["nodes"].as_array().unwrap().iter().enumerate() {
        let key = node["key"].as_str().unwrap();
        let Some(answer) = fixture.example.answers.get(key).filter(|answer| answer.get("$fails").is_none())
        else {
            continue;
        };
        let schema = &node["structured_output"];
        let Some(body) = schema.get("properties").and_then(|properties| properties.get("body")) else {
            continue;
        };
        for change in changes(body, answer) {
            let mut changed = fixture.clone();
            changed.graph["nodes"][i]["structured_output"]["properties"]["body"] = change.schema;
            changed.example.answers.insert(key.to_owned(), change.value);
            push(all, format!("answer of {key}: {}", change.what), changed);
        }
    }
}

struct Change {
    what: String,
    schema: Value,
    value: Value,
}

/// Each property of a schema, however deep, renamed, dropped and of another kind, with a value that still matches.
fn changes(schema: &Value, value: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    for name in schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
        let renamed = format!("{name}_2");
        found.push(Change {
            what: format!("`{name}` renamed"),
            schema: without(schema, name, Some((&renamed, schema["properties"][name].clone()))),
            value: entry(value, name, |object, old| {
                object.insert(renamed.clone(), old);
            }),
        });
        found.push(Change {
            what: format!("`{name}` dropped"),
            schema: without(schema, name, None),
            value: entry(value, name, |_, _| {}),
        });
        if let Some((kind, other)) = another_kind(&schema["properties"][name]) {
            let mut retyped = schema.clone();
            retyped["properties"][name] = json!({"type": kind});
            found.push(Change {
                what: format!("`{name}` is now a {kind}"),
                schema: retyped,
                value: entry(value, name, |object, _| {
                    object.insert(name.clone(), other);
                }),
            });
        }
        for inner in changes(&schema["properties"][name], value.get(name).unwrap_or(&Value::Null)) {
            let (mut outer, mut whole) = (schema.clone(), value.clone());
            outer["properties"][name] = inner.schema;
            if whole.get(name).is_some() {
                whole[name] = inner.value;
            }
            found.push(Change { what: format!("{name}: {}", inner.what), schema: outer, value: whole });
        }
    }
    if let Some(items) = schema.get("items") {
        let empty = Vec::new();
        let list = value.as_array().unwrap_or(&empty);
        let of_items: Vec<_> = list.iter().map(|item| changes(items, item)).collect();
        for (i, change) in changes(items, &Value::Null).into_iter().enumerate() {
            let mut outer = schema.clone();
            outer["items"] = change.schema;
            let whole = of_items.iter().map(|changes| changes[i].value.clone()).collect();
            found.push(Change { what: format!("items: {}", change.what), schema: outer, value: whole });
        }
    }
    found
}

fn another_kind(schema: &Value) -> Option<(&'static str, Value)> {
    match schema.get("type")?.as_str()? {
        "number" | "boolean" | "object" => Some(("string", json!("changed"))),
        "string" | "array" => Some(("number", json!(77))),
        _ => None,
    }
}

/// The schema with a property gone, or with another name.
fn without(schema: &Value, name: &str, instead: Option<(&str, Value)>) -> Value {
    let mut changed = schema.clone();
    changed["properties"].as_object_mut().unwrap().remove(name);
    if let Some(required) = changed.get_mut("required").and_then(Value::as_array_mut) {
        let was = required.len();
        required.retain(|known| known != name);
        if let (Some((new, _)), true) = (&instead, required.len() < was) {
            required.push(json!(new));
        }
    }
    if let Some((new, property)) = instead {
        changed["properties"][new] = property;
    }
    changed
}

fn entry(value: &Value, name: &str, put: impl FnOnce(&mut Map<String, Value>, Value)) -> Value {
    let mut changed = value.clone();
    if let Some(object) = changed.as_object_mut()
        && let Some(old) = object.remove(name)
    {
        put(object, old);
    }
    changed
}

/// Pointers of all strings inside `metadata` of nodes.
fn strings(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) if pointer.contains("/metadata/") => found.push(pointer.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| strings(item, &format!("{pointer}/{i}"), found));
        }
        Value::Object(fields) => {
            for (name, field) in
                fields.iter().filter(|(name, _)| !["structured_output", "form"].contains(&name.as_str()))
            {
                strings(field, &format!("{pointer}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// Each name after a dot in an expression, misspelt and left out.
fn of_expression(fixture: &Fixture, place: &str, all: &mut Vec<Mutation>) {
    let text = fixture.graph.pointer(place).unwrap().as_str().unwrap();
    let is_expression =
        text.contains("{{") || ["condition", "items", "program"].iter().any(|field| place.ends_with(field));
    if !is_expression {
        return;
    }
    for (dot, _) in text.match_indices('.') {
        let rest = &text[dot + 1..];
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = &rest[..length];
        let before = text[..dot].chars().last();
        let is_step = name.starts_with(|c: char| c.is_alphabetic())
            && before.is_some_and(|c| c.is_alphanumeric() || "]_$".contains(c))
            && is_inside(text, dot);
        if !is_step {
            continue;
        }
        let swapped = format!("{}{name}x{}", &text[..=dot], &rest[length..]);
        let shorter = format!("{}{}", &text[..dot], &rest[length..]);
        for (what, new) in [("misspelt", swapped), ("left out", shorter)] {
            let mut changed = fixture.clone();
            *changed.graph.pointer_mut(place).unwrap() = json!(new);
            push(all, format!("{place}: `{name}` {what} in {text}"), changed);
        }
    }
}

/// Whether a place in a text belongs to an expression, and not to a text in it.
fn is_inside(text: &str, at: usize) -> bool {
    let braces = !text.contains("{{") || text[..at].rfind("{{") > text[..at].rfind("}}");
    braces && text[..at].matches('\'').count().is_multiple_of(2)
}

/// Each field that a `map` makes, renamed, dropped and of another kind.
fn of_mappings(fixture: &Fixture, all: &mut Vec<Mutation>) {
    for (i, node) in fixture.graph["nodes"].as_array().unwrap().iter().enumerate() {
        let Some(mapping) = node["metadata"].get("mapping").and_then(Value::as_object) else { continue };
        for (name, old) in mapping {
            let mut with = |what: &str, change: &dyn Fn(&mut Map<String, Value>)| {
                let mut changed = fixture.clone();
                change(changed.graph["nodes"][i]["metadata"]["mapping"].as_object_mut().unwrap());
                push(all, format!("mapping {}: `{name}` {what}", node["key"]), changed);
            };
            with("renamed", &|map| {
                map.remove(name);
                map.insert(format!("{name}_2"), old.clone());
            });
            with("dropped", &|map| {
                map.remove(name);
            });
            with("is now an object", &|map| {
                map.insert(name.clone(), json!({"other": true}));
            });
        }
    }
}
