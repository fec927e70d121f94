//! Examples of bodies in OpenAPI documents (API-07), made of those of their fields: what is shown is always of the shape that is documented.

use serde_json::{Map, Value, json};

/// The id and the time in examples that name none of their own.
const ID: &str = "01a20155-2112-714f-9307-c241d182a1ef";
const TIME: &str = "2026-11-22T09:30:00Z";

/// Gives an example to every body of a document that has none.
pub(crate) fn complete(document: &mut Value) {
    let schemas = document["components"]["schemas"].take();
    let examples = Examples { schemas: &schemas };
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    for operation in paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        operation.get_mut("requestBody").into_iter().for_each(|body| examples.give(body));
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        responses.into_iter().flat_map(Map::values_mut).for_each(|response| examples.give(response));
    }
    document["components"]["schemas"] = schemas;
}

struct Examples<'a> {
    schemas: &'a Value,
}

impl Examples<'_> {
    /// For a request body or a response.
    fn give(&self, body: &mut Value) {
        let Some(content) = body.get_mut("content").and_then(Value::as_object_mut) else { return };
        for media in content.values_mut().filter_map(Value::as_object_mut) {
            if media.contains_key("example") || media.contains_key("examples") {
                continue;
            }
            let example = media.get("schema").and_then(|schema| self.of(schema, &[]));
            media.extend(example.map(|example| ("example".to_owned(), example)));
        }
    }

    /// An example of a schema `within` others; nothing where it says too little for one, or holds itself.
    fn of(&self, schema: &Value, within: &[&str]) -> Option<Value> {
        if let Some(given) = ["example", "const", "default"].iter().find_map(|word| schema.get(word)) {
            return Some(given.clone());
        }
        if let Some(given) = ["examples", "enum"].iter().find_map(|word| schema.get(word)?.get(0)) {
            return Some(given.clone());
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.strip_prefix("#/components/schemas/")?;
            let is_new = !within.contains(&name);
            return is_new.then(|| self.of(&self.schemas[name], &[within, &[name]].concat())).flatten();
        }
        if let Some(parts) = schema["allOf"].as_array() {
            return self.of_all(parts, within);
        }
        let choice = ["oneOf", "anyOf"].iter().find_map(|word| schema.get(word)?.as_array());
        if let Some(choice) = choice {
            return choice.iter().filter(|one| one["type"] != "null").find_map(|one| self.of(one, within));
        }
        self.of_type(schema, within)
    }

    fn of_all(&self, parts: &[Value], within: &[&str]) -> Option<Value> {
        let members = parts.iter().filter_map(|part| self.of(part, within));
        let members =
            members.filter_map(|part| if let Value::Object(members) = part { Some(members) } else { None });
        Some(Value::Object(members.flatten().collect()))
    }

    fn of_type(&self, schema: &Value, within: &[&str]) -> Option<Value> {
        let kind = &schema["type"];
        let kind = kind.as_array().map_or(Some(kind), |kinds| kinds.iter().find(|kind| **kind != "null"))?;
        match kind.as_str()? {
            "object" => {
                schema.get("properties").map(|fields| self.of_object(fields, &schema["required"], within))
            }
            "array" => Some(Value::Array(self.of(&schema["items"], within).into_iter().collect())),
            "boolean" => Some(Value::Bool(true)),
            "string" => match schema["format"].as_str()? {
                "uuid" => Some(json!(ID)),
                "date-time" => Some(json!(TIME)),
                _ => None,
            },
            _ => None,
        }
    }

    /// All fields of which something is known. One that has to be there and has no example is null, which tests find; an object of any
    /// shape is empty.
    fn of_object(&self, fields: &Value, required: &Value, within: &[&str]) -> Value {
        let is_required =
            |name: &str| required.as_array().is_some_and(|names| names.iter().any(|one| one == name));
        let nothing = |field: &Value| if field["type"] == "object" { json!({}) } else { Value::Null };
        let fields = fields.as_object().into_iter().flatten().filter_map(|(name, field)| {
            let example = self.of(field, within).or_else(|| is_required(name).then(|| nothing(field)));
            Some((name.clone(), example?))
        });
        Value::Object(fields.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(schema: Value) -> Option<Value> {
        let things = json!({"Thing": {"type": "object", "required": ["name", "of", "about"], "properties": {
            "name": {"type": "string", "example": "a lamp"},
            "of": {"type": ["string", "null"]},
            "about": {"type": "object"},
            "note": {"type": "string"},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
        }}});
        Examples { schemas: &things }.of(&schema, &[])
    }

    #[test]
    fn an_example_is_made_of_those_of_its_parts() {
        assert_eq!(example(json!({"type": "string", "format": "uuid"})), Some(json!(ID)));
        assert_eq!(example(json!({"type": ["integer", "null"], "default": 20})), Some(json!(20)));
        assert_eq!(example(json!({"type": "string", "enum": ["draft", "active"]})), Some(json!("draft")));
        assert_eq!(example(json!({"oneOf": [{"type": "null"}, {"type": "boolean"}]})), Some(json!(true)));
        let both = json!({"allOf": [{"type": "object", "properties": {"a": {"example": 1}}}, {"example": {"b": 2}}]});
        assert_eq!(example(both), Some(json!({"a": 1, "b": 2})));
    }

    #[test]
    fn what_is_not_known_is_left_out_or_null_and_what_holds_itself_ends() {
        let thing = json!({"name": "a lamp", "of": null, "about": {}, "parts": []});
        assert_eq!(example(json!({"$ref": "#/components/schemas/Thing"})), Some(thing));
        assert_eq!(example(json!({"type": "string"})), None);
    }

    #[test]
    fn bodies_get_the_example_that_they_lack() {
        let media = |rest: Value| json!({"content": {"application/json": rest}});
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "example": 7}}});
        let mut document = json!({"components": {"schemas": {}}, "paths": {"/things": {"post": {
            "requestBody": media(json!({"schema": schema, "example": {"n": 1}})),
            "responses": {"200": media(json!({"schema": schema})), "204": {"description": "Done."}},
        }}}});
        complete(&mut document);
        let operation = &document["paths"]["/things"]["post"];
        assert_eq!(operation["requestBody"]["content"]["application/json"]["example"], json!({"n": 1}));
        assert_eq!(operation["responses"]["200"]["content"]["application/json"]["example"], json!({"n": 7}));
        assert_eq!(operation["responses"]["204"], json!({"description": "Done."}));
    }
}
