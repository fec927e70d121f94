//! How large values may become.

use domain::Failure;
use serde_json::Value;

use super::invalid;

/// The largest output of a node, as JSON (engine.md: no limit that a user meets below 100 MB).
pub const MAX_OUTPUT_BYTES: usize = 100_000_000;

/// The longest list that `filter`, `map` and `split` walk.
pub const MAX_ITEMS: usize = 100_000;

/// Adds up values that make one output, so that a list of large items is refused before it fills the memory.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    used: usize,
}

impl Budget {
    /// Counts one more part of the output.
    pub(crate) fn add(&mut self, part: &Value) -> Result<(), Failure> {
        self.used += least_size(part);
        check_size(self.used)
    }
}

/// Refuses an output of more bytes than [`MAX_OUTPUT_BYTES`].
pub(crate) fn check_size(bytes: usize) -> Result<(), Failure> {
    if bytes <= MAX_OUTPUT_BYTES {
        return Ok(());
    }
    Err(invalid("output_too_large", format!("the output is larger than {} MB", MAX_OUTPUT_BYTES / 1_000_000)))
}

/// Not more than the bytes of the value's JSON, and quick to tell.
fn least_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(_) => 1,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(least_size).sum::<usize>(),
        Value::Object(object) => {
            2 + object.iter().map(|(key, value)| key.len() + 3 + least_size(value)).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_quick_size_is_never_above_the_real_one() {
        for value in
            [json!(null), json!(true), json!([1, -2.5, []]), json!({"a": {"b": "\n"}, "": false}), json!("é")]
        {
            assert!(least_size(&value) <= value.to_string().len(), "{value}");
        }
    }

    #[test]
    fn parts_add_up_to_a_refusal() {
        let (mut budget, part) = (Budget::default(), json!("x".repeat(30_000_000)));
        let added: Vec<_> = (0..4).map(|_| budget.add(&part).is_ok()).collect();
        assert_eq!(added, [true, true, true, false]);
    }
}
