//! Lists and conditions as JSONata means them.

use domain::Failure;
use serde_json::Value;

use super::{MAX_ITEMS, Metadata, invalid};
use crate::expr::Scope;

/// The list that a field of a node gives. Missing and null are an empty list. A value that is no list is a
/// list of itself, since JSONata gives a sequence of one as its only item: `orders[total > 5]` with one hit
/// is that order.
pub(super) fn items(metadata: &Metadata, name: &str, scope: &Scope<'_>) -> Result<Vec<Value>, Failure> {
    let items = match metadata.value(name, scope)? {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(single) => vec![single],
    };
    if items.len() > MAX_ITEMS {
        return Err(invalid(
            "too_many_items",
            format!("{name}: {} items; {MAX_ITEMS} is the most", items.len()),
        ));
    }
    Ok(items)
}

/// A failure at one item of a list.
pub(super) fn at(index: usize, mut failure: Failure) -> Failure {
    failure.message = format!("item {index}: {}", failure.message);
    failure
}

/// What `$boolean` says of a value; missing is false.
pub(super) fn is_true(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => items.iter().any(|item| is_true(Some(item))),
        Some(Value::Object(object)) => !object.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_follow_the_boolean_function_of_jsonata() {
        for value in [json!(true), json!(-1), json!("x"), json!([0, 1]), json!({"a": null}), json!([[1]])] {
            assert!(is_true(Some(&value)), "{value}");
        }
        for value in
            [json!(null), json!(false), json!(0), json!(0.0), json!(""), json!([]), json!([0, ""]), json!({})]
        {
            assert!(!is_true(Some(&value)), "{value}");
        }
        assert!(!is_true(None));
    }
}
