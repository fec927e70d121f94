//! The inputs of runs against the schema that a version asks for.

use serde_json::{Map, Value};

use super::Violation;
use crate::schema::Schema;

/// Whether `input_params` is a JSON Schema that stands alone. Pointers lead into `input_params`.
pub fn validate_input_params(input_params: &Map<String, Value>) -> Vec<Violation> {
    match Schema::compile(&Value::Object(input_params.clone())) {
        Ok(_) => Vec::new(),
        Err(wrong) => vec![Violation::error(wrong.pointer, "wrong_schema", wrong.message)],
    }
}

/// Checks a run's inputs against a version's `input_params`; an empty schema takes anything. Pointers lead
/// into `inputs`. A schema that is itself wrong takes nothing.
pub fn validate_inputs(input_params: &Map<String, Value>, inputs: &Value) -> Vec<Violation> {
    if input_params.is_empty() {
        return Vec::new();
    }
    match Schema::compile(&Value::Object(input_params.clone())) {
        Ok(schema) => {
            let mismatches = schema.mismatches(inputs).into_iter();
            mismatches.map(|mismatch| Violation::error(mismatch.pointer, "input", mismatch.message)).collect()
        }
        Err(wrong) => {
            let message = format!(
                "the workflow's input_params are no usable schema: {} ({})",
                wrong.message, wrong.pointer
            );
            vec![Violation::error("", "wrong_schema", message)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn an_empty_schema_takes_anything() {
        for inputs in [json!(null), json!([1]), json!({"a": 1})] {
            assert_eq!(validate_inputs(&Map::new(), &inputs), []);
        }
    }

    #[test]
    fn every_mismatch_is_named_by_its_place() {
        let schema = map(
            json!({"type": "object", "required": ["id"], "properties": {"n": {"type": "integer", "minimum": 1}}}),
        );
        let found = validate_inputs(&schema, &json!({"n": 0}));
        let places: Vec<_> =
            found.iter().map(|violation| (violation.pointer.as_str(), violation.code.as_str())).collect();
        assert_eq!(places, [("", "input"), ("/n", "input")]);
    }

    #[test]
    fn a_schema_that_is_wrong_is_found_at_its_place() {
        let found = validate_input_params(&map(json!({"properties": {"a": {"type": "text"}}})));
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].pointer.as_str(), found[0].code.as_str()),
            ("/properties/a/type", "wrong_schema")
        );
        assert_eq!(validate_input_params(&map(json!({"type": "object"}))), []);
        assert!(!validate_input_params(&map(json!({"$ref": "https://example.com/x"}))).is_empty());
    }
}
