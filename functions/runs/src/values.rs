//! How much of a run's values fits into an answer.

use engine::Digest;
use serde_json::{Value, json};

/// Bytes of values in one answer. Lambda answers at most 6 MB, base64 and escapes included; the rest of a run is small.
const MOST: usize = 5_000_000;

/// What is left for further values of the same answer.
pub(crate) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MOST)
    }
}

impl Budget {
    /// The value, or where too little is left, `{"truncated": true, "bytes", "sha256"}`: the size and digest of its JSON.
    pub(crate) fn take(&mut self, value: &Value) -> Value {
        // A string in a JSON answer may be escaped once more by Lambda's envelope, so quotes and backslashes count twice.
        let text = value.to_string();
        let cost = text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count();
        match self.0.checked_sub(cost) {
            Some(left) => {
                self.0 = left;
                value.clone()
            }
            None => json!({"truncated": true, "bytes": text.len(), "sha256": Digest::of(value)}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named_by_size_and_digest_and_smaller_values_still_fit() {
        let mut budget = Budget::default();
        let large = Value::from("x".repeat(4_000_000));
        assert_eq!(budget.take(&large), large);
        let cut = budget.take(&large);
        assert_eq!(cut["truncated"], true);
        assert_eq!(cut["bytes"], 4_000_002);
        assert_eq!(cut["sha256"], Digest::of(&large).as_str());
        assert_eq!(budget.take(&json!({"a": 1})), json!({"a": 1}));
    }
}
