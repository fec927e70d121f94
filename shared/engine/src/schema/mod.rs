//! JSON Schema: what outputs and inputs must look like. Draft 2020-12 unless `$schema` says otherwise.

mod expansion;

use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use serde_json::{Map, Value, json};

/// The most mismatches that are reported of one value.
const MAX_MISMATCHES: usize = 20;

/// The largest compiled regular expression of a `pattern`, in bytes.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Schema(Validator);

/// A place in a schema or in a value, and what is wrong there. Never quotes the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// JSON Pointer of the place.
    pub(crate) pointer: String,
    /// What is wrong.
    pub(crate) message: String,
}

/// Schemas stand alone: the engine reads nothing from anywhere.
struct NoDocuments;

impl Retrieve for NoDocuments {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("references to other documents are not allowed: {uri}").into())
    }
}

impl Schema {
    /// Compiles a schema. Patterns take the linear-time regex engine, so that no input can make one run away.
    pub(crate) fn compile(schema: &Value) -> Result<Self, Mismatch> {
        expansion::check(schema)?;
        jsonschema::options()
            .with_retriever(NoDocuments)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_BYTES))
            .build(schema)
            .map(Self)
            .map_err(|error| Mismatch {
                pointer: error.instance_path().to_string(),
                message: error.to_string(),
            })
    }

    /// The schema that a node's `structured_output` stands for: itself, or that of the example (see
    /// [`is_schema`]).
    pub(crate) fn of_structured_output(value: &Value) -> Result<Self, Mismatch> {
        Self::compile(&of_structured_output(value))
    }

    /// Every place where `value` does not match, up to [`MAX_MISMATCHES`].
    pub(crate) fn mismatches(&self, value: &Value) -> Vec<Mismatch> {
        self.0
            .iter_errors(value)
            .take(MAX_MISMATCHES)
            .map(|error| Mismatch {
                pointer: error.instance_path().to_string(),
                message: error.masked().to_string(),
            })
            .collect()
    }
}

/// The schema that a `structured_output` stands for.
pub(crate) fn of_structured_output(value: &Value) -> Value {
    if is_schema(value) { value.clone() } else { of_example(value) }
}

/// Whether a `structured_output` is a JSON Schema; if not, it is an example.
///
/// An object is a schema if it says so in a way that an example would hardly: `$schema` or `$ref`, a `type`
/// that names JSON Schema types, an object `properties`, or a list `anyOf`, `oneOf`, `allOf` or `enum`.
/// `true`, `false` and `{}` are the same either way round or too loose to be meant otherwise.
fn is_schema(value: &Value) -> bool {
    const TYPES: [&str; 7] = ["object", "array", "string", "number", "integer", "boolean", "null"];
    let names_type = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
    let Value::Object(object) = value else { return false };
    object.iter().any(|(key, value)| match key.as_str() {
        "$schema" | "$ref" => value.is_string(),
        "type" => names_type(value) || value.as_array().is_some_and(|names| names.iter().all(names_type)),
        "properties" => value.is_object(),
        "anyOf" | "oneOf" | "allOf" | "enum" => value.is_array(),
        _ => false,
    })
}

/// The schema of values that look like the example: the same kinds, and every key that it has. Lists look
/// like their first item; null is anything.
fn of_example(example: &Value) -> Value {
    match example {
        Value::Null => json!({}),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(_) => json!({ "type": "number" }),
        Value::String(_) => json!({ "type": "string" }),
        Value::Array(items) => {
            json!({ "type": "array", "items": items.first().map_or_else(|| json!({}), of_example) })
        }
        Value::Object(object) => {
            let properties: Map<_, _> =
                object.iter().map(|(key, value)| (key.clone(), of_example(value))).collect();
            json!({ "type": "object", "required": object.keys().collect::<Vec<_>>(), "properties": properties })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(structured_output: &Value, value: &Value) -> Vec<String> {
        Schema::of_structured_output(structured_output)
            .unwrap()
            .mismatches(value)
            .into_iter()
            .map(|mismatch| format!("{}: {}", mismatch.pointer, mismatch.message))
            .collect()
    }

    #[test]
    fn an_example_asks_for_the_same_kinds_and_keys() {
        let example = json!({"id": 1, "name": "x", "tags": ["a"], "any": null});
        assert!(
            places(&example, &json!({"id": 2.5, "name": "", "tags": [], "any": [1], "more": 1})).is_empty()
        );
        assert_eq!(
            places(&example, &json!({"id": "2", "tags": ["a", 1], "any": 0})),
            [
                ": \"name\" is a required property",
                "/id: value is not of type \"number\"",
                "/tags/1: value is not of type \"string\"",
            ]
        );
    }

    #[test]
    fn a_schema_is_known_by_its_keywords() {
        for schema in [
            json!({"type": "object"}),
            json!({"type": ["string", "null"]}),
            json!({"properties": {}}),
            json!({"$ref": "#/$defs/a"}),
            json!({"anyOf": [{}]}),
        ] {
            assert!(is_schema(&schema), "{schema}");
        }
        for example in [
            json!({"type": "invoice"}),
            json!({"properties": ["a"]}),
            json!({"id": 1}),
            json!([1]),
            json!({}),
        ] {
            assert!(!is_schema(&example), "{example}");
        }
    }

    #[test]
    fn references_to_other_documents_are_refused() {
        for uri in ["https://example.com/schema.json", "file:///etc/passwd", "other.json"] {
            assert!(Schema::compile(&json!({"$ref": uri})).is_err(), "{uri}");
        }
    }

    #[test]
    fn references_inside_the_document_are_followed() {
        let pair = json!({"properties": {"a": {"$ref": "#/$defs/n"}, "b": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "number"}}});
        let schema = Schema::compile(&pair).unwrap();
        assert_eq!(schema.mismatches(&json!({"a": 1, "b": "2"}))[0].pointer, "/b");
    }

    #[test]
    fn patterns_take_linear_time() {
        let schema = Schema::compile(&json!({"type": "string", "pattern": "^(a+)+$"})).unwrap();
        assert_eq!(schema.mismatches(&json!(format!("{}!", "a".repeat(100_000)))).len(), 1);
        assert!(Schema::compile(&json!({"pattern": "(a{1000}){1000}"})).is_err());
    }
}
