//! Where two JSON values differ.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::pointer::join;

/// A place where two values differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// JSON Pointer (RFC 6901) of the place.
    pub pointer: String,
    /// What stood there; absent where nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What stands there; absent where nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The innermost places where two values differ, by the names of fields. A list of another length is one place, since nothing says which
/// of its items is which. Who puts each `after` in the place of its `before` comes from the one value to the other.
pub fn changes(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(at: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<FieldChange>) {
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => fields(at, old, new, found),
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (i, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&join(at, i), Some(old), Some(new), found);
            }
        }
        _ if before == after => {}
        _ => {
            let (before, after) = (before.cloned(), after.cloned());
            found.push(FieldChange { pointer: at.to_owned(), before, after });
        }
    }
}

fn fields(at: &str, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<FieldChange>) {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        compare(&join(at, name), old.get(name), new.get(name), found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_innermost_places_are_told_by_name() {
        let before = json!({"b": {"x": 1, "gone": null}, "a": [1, 2], "l": [1], "same": {"deep": [{}]}});
        let after = json!({"l": [1, 2], "b": {"x": 2, "n/w": {}}, "a": [1, 3], "same": {"deep": [{}]}});
        let told: Vec<_> = changes(&before, &after)
            .into_iter()
            .map(|change| (change.pointer, change.before, change.after))
            .collect();
        let expected = [
            ("/a/1", Some(json!(2)), Some(json!(3))),
            ("/b/gone", Some(json!(null)), None),
            ("/b/n~1w", None, Some(json!({}))),
            ("/b/x", Some(json!(1)), Some(json!(2))),
            ("/l", Some(json!([1])), Some(json!([1, 2]))),
        ];
        assert_eq!(told, expected.map(|(pointer, before, after)| (pointer.to_owned(), before, after)));
    }

    #[test]
    fn what_is_absent_is_not_null() {
        let told = serde_json::to_value(changes(&json!({}), &json!({"a": null}))).unwrap();
        assert_eq!(told, json!([{"pointer": "/a", "after": null}]));
    }
}
