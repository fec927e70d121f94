//! JSON to the interpreter's values and back.

use jsonata_core::value::{JArray, JMap, JValue, with_stack};
use serde_json::{Map, Number, Value};

use super::meter;
use crate::expr::{ExprError, limits};

/// A converted value with what the meter has to know of it.
#[derive(Clone)]
pub(in crate::expr) struct Converted {
    pub(super) value: JValue,
    pub(super) weight: u64,
    pub(super) longest: usize,
}

pub(super) fn from_json(json: &Value) -> Converted {
    let mut found = Converted { value: JValue::Undefined, weight: 0, longest: 0 };
    found.value = convert(json, &mut found.weight, &mut found.longest);
    found
}

fn convert(json: &Value, weight: &mut u64, longest: &mut usize) -> JValue {
    let value = match json {
        Value::Null => JValue::Null,
        Value::Bool(truth) => JValue::Bool(*truth),
        Value::Number(number) => JValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => JValue::string(text.as_str()),
        Value::Array(items) => with_stack(|| {
            *longest = items.len().max(*longest);
            let flat = !items.iter().any(Value::is_array);
            let items = items.iter().map(|item| convert(item, weight, longest)).collect();
            JValue::Array(JArray::new_flat(items, flat))
        }),
        Value::Object(map) => with_stack(|| {
            let mut converted = JMap::default();
            converted.reserve(map.len());
            for (key, item) in map {
                converted.insert(key.clone(), convert(item, weight, longest));
            }
            JValue::Object(converted.into())
        }),
    };
    *weight += meter::shallow(&value);
    value
}

/// None is JSONata's undefined, and what is no data: a function.
pub(super) fn to_json(value: &JValue) -> Result<Option<Value>, ExprError> {
    match value {
        JValue::Undefined | JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => Ok(None),
        value => json(value, 0).map(Some),
    }
}

fn json(value: &JValue, depth: usize) -> Result<Value, ExprError> {
    if depth > limits::VALUE_DEPTH {
        return Err(ExprError::new(
            "too_deep",
            format!("the value nests deeper than {}", limits::VALUE_DEPTH),
        ));
    }
    Ok(match value {
        JValue::Null | JValue::Undefined => Value::Null,
        JValue::Bool(truth) => Value::Bool(*truth),
        JValue::Number(number) => number_to_json(*number)?,
        JValue::String(text) => Value::String(text.to_string()),
        JValue::Array(items) => {
            Value::Array(items.iter().map(|item| json(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        JValue::Object(map) => {
            let mut object = Map::with_capacity(map.len());
            for (key, item) in map.iter().filter(|(_, item)| !item.is_undefined()) {
                object.insert(key.clone(), json(item, depth + 1)?);
            }
            Value::Object(object)
        }
        // As JSONata prints functions inside a structure.
        JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => Value::String(String::new()),
    })
}

/// Whole numbers come out as integers as far as 64 bits reach. Infinity is no number in JSON.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the range is checked")]
fn number_to_json(number: f64) -> Result<Value, ExprError> {
    if number.fract() == 0.0 && number >= i64::MIN as f64 && number < i64::MAX as f64 {
        Ok(Value::from(number as i64))
    } else {
        let out_of_range = || ExprError::new("D1001", format!("Number out of range: {number}"));
        Number::from_f64(number).map(Value::Number).ok_or_else(out_of_range)
    }
}
