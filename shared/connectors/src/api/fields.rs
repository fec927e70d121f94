//! Reads evaluated metadata. What is wrong with it is told by field, never by value: values may be secrets.

use domain::{ErrorClass, Failure};
use serde_json::{Map, Value};

/// A failure for a field that does not hold what it should.
pub(super) fn invalid(field: &str, problem: &str) -> Failure {
    Failure::new(ErrorClass::Validation, "metadata", format!("`{field}` {problem}"))
}

/// The value of a field; None also for null, which is what an expression without a value gives.
pub(super) fn optional<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    object.get(field).filter(|value| !value.is_null())
}

/// A text that must be there. `path` is how the author finds it.
pub(super) fn text<'a>(object: &'a Map<String, Value>, field: &str, path: &str) -> Result<&'a str, Failure> {
    optional(object, field).and_then(Value::as_str).ok_or_else(|| invalid(path, "must be a text"))
}

/// The entries of an object that may be absent.
pub(super) fn entries<'a>(
    object: &'a Map<String, Value>,
    field: &str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, Failure> {
    let map = match optional(object, field) {
        Some(Value::Object(map)) => Some(map),
        Some(_) => return Err(invalid(field, "must be an object")),
        None => None,
    };
    Ok(map.into_iter().flatten())
}

/// Names and texts as forms and queries hold them: lists repeat their name, nulls are left out.
pub(super) fn pairs(object: &Map<String, Value>, field: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs = Vec::new();
    for (name, value) in entries(object, field)? {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values.iter().filter(|value| !value.is_null()) {
            let wrong =
                || invalid(&format!("{field}.{name}"), "must be a text, number, boolean or a list of these");
            pairs.push((name.clone(), scalar(value).ok_or_else(wrong)?));
        }
    }
    Ok(pairs)
}

/// A text, number or boolean as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
