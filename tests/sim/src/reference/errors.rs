//! Failures as the engine words them, where the reference can't.

use serde_json::{Value, json};

/// What the failure of an expression or a schema looks like once its message was [blanked](blanked).
pub(super) fn validation(code: &str) -> Value {
    json!({"class": "validation", "code": code, "message": ""})
}

/// A value in which the messages of validation errors are empty: their wording is the engine's own affair.
pub fn blanked(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(blanked).collect(),
        Value::Object(object) => {
            let is_error =
                object.len() == 3 && object.get("class").is_some_and(|class| class == "validation");
            let blank = |(name, value): (&String, &Value)| {
                let value = if is_error && name == "message" { json!("") } else { blanked(value) };
                (name.clone(), value)
            };
            object.iter().map(blank).collect()
        }
        other => other.clone(),
    }
}
