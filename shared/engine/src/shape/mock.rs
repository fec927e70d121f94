//! A value that a shape might have, for whoever reads a plan.

use serde_json::{Map, Value, json};

use super::{Rest, Shape, Text};

/// The most items that are made up of one list; one is enough unless more must be there.
const MAX_ITEMS: usize = 100;

impl Shape {
    /// One of the values that it stands for, the same every time: the richest kind that it may have.
    pub(crate) fn mock(&self) -> Value {
        if let Some(object) = &self.object {
            let fields = object.fields.iter().filter(|(_, field)| !field.is_missing());
            let mut made: Map<_, _> = fields.map(|(name, field)| (name.clone(), field.mock())).collect();
            if let (true, Rest::Like(rest)) = (made.is_empty(), &object.rest)
                && !rest.any
            {
                made.insert("name".to_owned(), rest.mock());
            }
            return Value::Object(made);
        }
        if let Some(list) = &self.list {
            let wanted = list.least.clamp(1, MAX_ITEMS).min(list.most.unwrap_or(MAX_ITEMS));
            return Value::Array(vec![list.item.mock(); if list.item.is_empty() { 0 } else { wanted }]);
        }
        match &self.text {
            Some(Text::OneOf(words)) => json!(words.first()),
            Some(Text::Any) => json!("text"),
            None if self.number => json!(1),
            None if self.boolean => json!(true),
            None => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::Schema;

    #[test]
    fn a_mock_is_one_of_the_values_and_matches_the_schema() {
        for value in [
            json!(null),
            json!({"a": [1, "x"], "b": {}, "c": {"d": [null, true]}}),
            json!([]),
            json!([[1], ["x"], {}]),
        ] {
            let shape = Shape::of_value(&value).or(&Shape::of_value(&json!({"a": []})));
            assert!(shape.admits(Some(&shape.mock())), "{value}");
            assert_eq!(Schema::compile(&shape.to_schema()).unwrap().mismatches(&shape.mock()), []);
            assert_eq!(Schema::compile(&shape.to_schema()).unwrap().mismatches(&value), []);
        }
    }
}
