//! The shape that a JSON Schema describes, as far as a shape can say it. What it can't say it leaves open.

use serde_json::{Map, Value};

use super::{Rest, Shape};
use crate::schema;

/// How far references are followed and schemas stand in each other; the validator refuses what goes deeper.
const MAX_DEPTH: usize = 100;

/// The shape of outputs that match a `structured_output`: a schema, or an example.
pub(crate) fn of_structured_output(structured_output: &Value) -> Shape {
    Shape::of_schema(&schema::of_structured_output(structured_output))
}

impl Shape {
    /// The shape of values that match a schema.
    pub(crate) fn of_schema(schema: &Value) -> Self {
        Reader { root: schema, left: super::MAX_PARTS }.read(schema, 0)
    }
}

struct Reader<'s> {
    root: &'s Value,
    /// How many more schemas are read before the rest is left open.
    left: usize,
}

impl Reader<'_> {
    fn read(&mut self, schema: &Value, depth: usize) -> Shape {
        if depth > MAX_DEPTH || self.left == 0 {
            return Shape::any();
        }
        self.left -= 1;
        match schema {
            Value::Bool(false) => Shape::never(),
            Value::Object(schema) => self.keywords(schema, depth + 1).present(),
            _ => Shape::any(),
        }
    }

    /// Every keyword narrows what the others leave.
    fn keywords(&mut self, schema: &Map<String, Value>, depth: usize) -> Shape {
        let mut shape = self.by_kind(schema, depth);
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let target = target.strip_prefix('#').and_then(|place| self.root.pointer(place)).cloned();
            shape = shape.and(&target.map_or_else(Shape::any, |target| self.read(&target, depth)));
        }
        if let Some(value) = schema.get("const") {
            shape = shape.and(&Shape::of_value(value));
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            shape =
                shape.and(&values.iter().fold(Shape::never(), |all, value| all.or(&Shape::of_value(value))));
        }
        for alternatives in ["anyOf", "oneOf"].into_iter().filter_map(|word| schema.get(word)?.as_array()) {
            let either = alternatives.iter().map(|one| self.read(one, depth)).collect::<Vec<_>>();
            shape = shape.and(&Shape::any_of(&either));
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            shape = shape.and(&self.read(part, depth));
        }
        shape
    }

    fn by_kind(&mut self, schema: &Map<String, Value>, depth: usize) -> Shape {
        let kinds: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            // Without a type, `properties` say nothing of what is no object.
            _ => return Shape::any(),
        };
        kinds.into_iter().fold(Shape::never(), |all, kind| {
            all.or(&match kind {
                "null" => Shape::null(),
                "boolean" => Shape::boolean(),
                "number" | "integer" => Shape::number(),
                "string" => Shape::text(),
                "array" => self.list(schema, depth),
                "object" => self.object(schema, depth),
                _ => Shape::any(),
            })
        })
    }

    fn list(&mut self, schema: &Map<String, Value>, depth: usize) -> Shape {
        let bound =
            |word: &str| schema.get(word).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        // In drafts before 2020-12 a list of `items` describes the first items one by one.
        let first =
            schema.get("prefixItems").or_else(|| schema.get("items").filter(|items| items.is_array()));
        let item = match (first, schema.get("items")) {
            (None, Some(item)) => self.read(item, depth),
            _ => Shape::any(),
        };
        Shape::list_of(item, bound("minItems").unwrap_or(0), bound("maxItems"))
    }

    fn object(&mut self, schema: &Map<String, Value>, depth: usize) -> Shape {
        let required: Vec<_> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().collect();
        let is_required = |name: &str| required.iter().any(|known| known.as_str() == Some(name));
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut fields = std::collections::BTreeMap::new();
        for (name, property) in properties.into_iter().flatten() {
            let shape = self.read(property, depth);
            fields.insert(name.clone(), if is_required(name) { shape } else { shape.optional() });
        }
        for name in required.iter().filter_map(|name| name.as_str()) {
            fields.entry(name.to_owned()).or_insert_with(Shape::any);
        }
        let by_pattern = [
            "patternProperties",
            "unevaluatedProperties",
            "dependentSchemas",
            "if",
            "anyOf",
            "oneOf",
            "allOf",
            "$ref",
        ];
        let has_more = by_pattern.iter().any(|word| schema.contains_key(*word));
        let rest = match schema.get("additionalProperties") {
            Some(Value::Bool(false)) if !has_more => Rest::None,
            Some(Value::Bool(false)) | None if has_more => Rest::Like(Shape::any()),
            None if !fields.is_empty() => Rest::Undeclared,
            Some(rest @ Value::Object(_)) if !has_more => Rest::Like(self.read(rest, depth)),
            _ => Rest::Like(Shape::any()),
        };
        Shape::object_and(fields, rest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shape::Found;

    fn found(schema: &Value, path: &[&str]) -> Found {
        let mut shape = Shape::of_schema(schema);
        let mut found = Found::Yes;
        for name in path {
            (shape, found) = shape.look_up(name);
        }
        found
    }

    #[test]
    fn what_a_schema_says_of_a_field_is_known() {
        let open = json!({"type": "object", "properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/i"}}},
            "$defs": {"i": {"type": "object", "properties": {"x": {}}, "additionalProperties": false}}});
        assert_eq!(found(&open, &["a"]), Found::Yes);
        assert_eq!(found(&open, &["b"]), Found::Undeclared);
        assert_eq!(found(&open, &["a", "x"]), Found::Yes);
        assert_eq!(found(&open, &["a", "y"]), Found::No);
        assert_eq!(found(&json!({"type": "object"}), &["b"]), Found::Yes);
        assert_eq!(found(&json!({"properties": {"a": {}}}), &["b"]), Found::Yes, "it may be no object");
    }

    #[test]
    fn every_value_that_matches_a_schema_is_one_of_its_shape() {
        let schemas = [
            json!({}),
            json!(true),
            json!({"type": ["string", "null"]}),
            json!({"enum": ["a", 1, null]}),
            json!({"const": {"a": 1}}),
            json!({"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a", "b"]}),
            json!({"type": "object", "properties": {"a": {}}, "patternProperties": {"^x": {}}, "additionalProperties": false}),
            json!({"type": "object", "additionalProperties": {"type": "number"}}),
            json!({"anyOf": [{"type": "number"}, {"type": "object", "properties": {"a": {"type": "string"}}}]}),
            json!({"allOf": [{"type": "object", "properties": {"a": {}}, "required": ["a"]}, {"type": "object", "properties": {"b": {}}}]}),
            json!({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "number"}}),
            json!({"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2}),
            json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false, "anyOf": [{"properties": {"a": {"type": "number"}}}]}),
        ];
        let values = [
            json!(null),
            json!(1),
            json!("a"),
            json!("z"),
            json!([]),
            json!([1]),
            json!(["a", 2]),
            json!([1, 2, 3]),
            json!({}),
            json!({"a": 1}),
            json!({"a": "x"}),
            json!({"a": 1, "b": 2}),
            json!({"xy": 1}),
            json!({"a": {"b": []}, "b": "x"}),
            json!(true),
        ];
        let mut matches = 0;
        for schema in &schemas {
            let (shape, validator) = (Shape::of_schema(schema), schema::Schema::compile(schema).unwrap());
            for value in values.iter().filter(|value| validator.mismatches(value).is_empty()) {
                assert!(shape.admits(Some(value)), "{schema} {value} {shape:?}");
                matches += 1;
            }
        }
        assert!(matches >= 50, "{matches}");
    }
}
