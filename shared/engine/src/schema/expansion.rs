//! A schema with every reference written out in its place: what is refused because it would not end, or not end soon.
//!
//! The validator follows references as it finds them. One that leads back to itself never ends, and a
//! recursive one with alternatives takes time that doubles with each level of the value. So a schema may not
//! contain itself, and written out it has at most [`MAX_PARTS`] values and is at most [`MAX_DEPTH`] deep:
//! checking a value is linear in its size. For this to hold, references must lead where they seem to: only
//! plain pointers into the document, and no identifiers that would move their base.

use serde_json::Value;

use super::Mismatch;
use crate::pointer::join;

/// The most values that a schema may have, with every reference written out.
const MAX_PARTS: usize = 20_000;

/// The deepest a schema may be, with every reference written out.
const MAX_DEPTH: usize = 100;

/// The drafts in which references and identifiers are what this module takes them for.
const DRAFTS: [&str; 4] = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
];

/// Refuses a schema that breaks a rule of this module, at the first place that does.
pub(super) fn check(schema: &Value) -> Result<(), Mismatch> {
    Expansion { root: schema, parts: 0 }.visit(schema, "", 0)
}

struct Expansion<'a> {
    root: &'a Value,
    parts: usize,
}

impl Expansion<'_> {
    fn visit(&mut self, value: &Value, pointer: &str, depth: usize) -> Result<(), Mismatch> {
        self.parts += 1;
        if depth > MAX_DEPTH {
            return refuse(
                pointer,
                format!("the schema contains itself, or is more than {MAX_DEPTH} levels deep"),
            );
        }
        if self.parts > MAX_PARTS {
            let message =
                format!("with its references written out, the schema has more than {MAX_PARTS} parts");
            return refuse(pointer, message);
        }
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(i, item)| self.visit(item, &join(pointer, i), depth + 1)),
            Value::Object(object) => object.iter().try_for_each(|(key, value)| {
                let place = join(pointer, key);
                match value.as_str() {
                    Some(text) => self.keyword(key, text, &place, depth),
                    None => self.visit(value, &place, depth + 1),
                }
            }),
            _ => Ok(()),
        }
    }

    fn keyword(&mut self, key: &str, text: &str, place: &str, depth: usize) -> Result<(), Mismatch> {
        match key {
            "$ref" => match text.strip_prefix('#').filter(|path| !path.contains('%')) {
                Some(path) => match self.root.pointer(path) {
                    Some(target) => self.visit(target, place, depth + 1),
                    None => refuse(place, format!("`{text}` names no place in this document")),
                },
                None => refuse(
                    place,
                    format!("`{text}` is no reference into this document, such as `#/$defs/item`"),
                ),
            },
            "$dynamicRef" | "$recursiveRef" => refuse(place, format!("`{key}` is not supported")),
            "$id" | "$schema" if depth > 0 => {
                refuse(place, format!("only the whole schema may have `{key}`"))
            }
            "$schema" if !DRAFTS.contains(&text.trim_end_matches('#')) => {
                refuse(place, format!("must be one of {}", DRAFTS.join(", ")))
            }
            _ => Ok(()),
        }
    }
}

fn refuse(place: &str, message: String) -> Result<(), Mismatch> {
    Err(Mismatch { pointer: place.to_owned(), message })
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::schema::Schema;

    #[test]
    fn a_schema_that_contains_itself_is_refused() {
        for schema in [
            json!({"$ref": "#"}),
            json!({"allOf": [{"$ref": "#"}]}),
            json!({"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}}}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"$ref": "#/$defs/a"}}}),
        ] {
            assert!(Schema::compile(&schema).is_err(), "{schema}");
        }
    }

    #[test]
    fn a_schema_that_doubles_with_each_reference_is_refused() {
        let mut definitions = Map::new();
        for i in 0..40 {
            let next = json!({"$ref": format!("#/$defs/d{}", i + 1)});
            definitions.insert(format!("d{i}"), json!({"anyOf": [next, next]}));
        }
        definitions.insert("d40".into(), json!({"type": "string"}));
        assert!(Schema::compile(&json!({"$ref": "#/$defs/d0", "$defs": definitions})).is_err());
    }

    #[test]
    fn what_could_move_the_base_of_references_is_refused() {
        for schema in [
            json!({"$ref": "#anchor"}),
            json!({"$ref": "#/$defs/a%25", "$defs": {"a%25": {}}}),
            json!({"properties": {"a": {"$id": "x"}}}),
            json!({"properties": {"a": {"$schema": "http://json-schema.org/draft-07/schema#"}}}),
            json!({"$schema": "http://json-schema.org/draft-04/schema#"}),
            json!({"$dynamicRef": "#a"}),
        ] {
            assert!(Schema::compile(&schema).is_err(), "{schema}");
        }
        let usual = json!({"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://example.com/a", "properties": {"$id": {}}});
        assert!(Schema::compile(&usual).is_ok());
    }

    #[test]
    fn the_deepest_schema_fits_a_small_stack() {
        let (mut schema, mut value) = (json!({"type": "string"}), json!("x"));
        for _ in 0..MAX_DEPTH / 2 - 1 {
            schema = json!({"properties": {"a": schema}});
            value = json!({"a": value});
        }
        let small = std::thread::Builder::new().stack_size(1 << 20);
        let checked =
            small.spawn(move || Schema::compile(&schema).map(|schema| schema.mismatches(&value).len()));
        assert_eq!(checked.unwrap().join().unwrap(), Ok(0));
    }
}
