//! `$distinct` in linear time: the interpreter compares each item with each.

use std::{collections::HashSet, fmt::Write as _, rc::Rc};

use jsonata_core::{
    functions::array,
    value::{JValue, with_stack},
};

use crate::expr::ExprError;

/// Keeps the first of equal values, by their canonical text where there are many.
pub(super) fn distinct(args: &[JValue]) -> Result<JValue, ExprError> {
    const FEW: usize = 64;
    let first = match args {
        [] => return Err(ExprError::new("T0410", "$distinct takes an array")),
        [first, ..] => first,
    };
    let JValue::Array(items) = first else { return Ok(first.clone()) };
    let mut result = match items.len() {
        0 | 1 => return Ok(first.clone()),
        few if few <= FEW => {
            array::distinct(items).map_err(|e| ExprError::from_coded(&e.to_string(), "failed"))?
        }
        _ => {
            let mut seen = HashSet::new();
            let is_new = |item: &&JValue| {
                let mut text = String::new();
                canonical(item, &mut text);
                seen.insert(text)
            };
            JValue::array(items.iter().filter(is_new).cloned().collect())
        }
    };
    if items.sequence {
        result.mark_sequence();
    }
    Ok(result)
}

/// Equal values, and only they, have equal texts.
fn canonical(value: &JValue, text: &mut String) {
    // Writing to a string does not fail.
    let _ = match value {
        JValue::Array(items) => {
            text.push('[');
            with_stack(|| items.iter().for_each(|item| canonical(item, text)));
            text.push(']');
            Ok(())
        }
        JValue::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            with_stack(|| {
                for (key, item) in entries {
                    let _ = write!(text, "{key:?}:");
                    canonical(item, text);
                }
            });
            text.push('}');
            Ok(())
        }
        JValue::Number(number) => write!(text, "{};", number + 0.0),
        JValue::String(string) => write!(text, "{string:?}"),
        JValue::Lambda(lambda) => write!(text, "{:p}", Rc::as_ptr(lambda)),
        other => write!(text, "{other};"),
    };
}
