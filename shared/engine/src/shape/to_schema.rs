//! A shape as JSON Schema, for whoever reads a plan.

use serde_json::{Map, Value, json};

use super::{List, Object, Rest, Shape, Text};

impl Shape {
    /// The schema of the values that it stands for; `{}` where nothing is known.
    pub(crate) fn to_schema(&self) -> Value {
        if self.any {
            return json!({});
        }
        let mut kinds = Vec::new();
        kinds.extend(self.object.as_ref().map(|object| of_object(object)));
        kinds.extend(self.list.as_ref().map(|list| of_list(list)));
        kinds.extend(self.text.as_ref().map(|text| match text {
            Text::Any => json!({ "type": "string" }),
            Text::OneOf(words) => json!({ "type": "string", "enum": words }),
        }));
        let scalars = [(self.number, "number"), (self.boolean, "boolean"), (self.null, "null")];
        kinds.extend(scalars.into_iter().filter(|(has, _)| *has).map(|(_, kind)| json!({ "type": kind })));
        match kinds.len() {
            0 => json!(false),
            1 => kinds.remove(0),
            _ => json!({ "anyOf": kinds }),
        }
    }
}

fn of_list(list: &List) -> Value {
    let mut schema = json!({ "type": "array", "items": list.item.to_schema() });
    if list.least > 0 {
        schema["minItems"] = json!(list.least);
    }
    if let Some(most) = list.most {
        schema["maxItems"] = json!(most);
    }
    schema
}

fn of_object(object: &Object) -> Value {
    let properties: Map<_, _> = object
        .fields
        .iter()
        .filter(|(_, field)| !field.is_missing())
        .map(|(name, field)| (name.clone(), field.clone().present().to_schema()))
        .collect();
    let required: Vec<_> = object
        .fields
        .iter()
        .filter(|(_, field)| !field.any && !field.missing)
        .map(|(name, _)| name)
        .collect();
    let mut schema = json!({ "type": "object" });
    if !properties.is_empty() {
        schema["properties"] = Value::Object(properties);
    }
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    match &object.rest {
        Rest::None => schema["additionalProperties"] = json!(false),
        Rest::Like(shape) if !shape.any => schema["additionalProperties"] = shape.to_schema(),
        Rest::Undeclared | Rest::Like(_) => {}
    }
    schema
}
