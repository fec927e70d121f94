//! The shape of a value that is there.

use serde_json::Value;

use super::Shape;

/// The items of a list that are looked at; the others are taken to be like any of these or anything.
const MAX_ITEMS: usize = 100;

impl Shape {
    /// Exactly what it is, as far as a shape can say.
    pub(crate) fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::null(),
            Value::Bool(_) => Self::boolean(),
            Value::Number(_) => Self::number(),
            Value::String(text) => Self::words([text.as_str()]),
            Value::Array(items) if items.len() > MAX_ITEMS => {
                Self::list_of(Self::any(), items.len(), Some(items.len()))
            }
            Value::Array(items) => {
                let item = items.iter().fold(Self::never(), |all, item| all.or(&Self::of_value(item)));
                Self::list_of(item, items.len(), Some(items.len()))
            }
            Value::Object(fields) => {
                Self::object(fields.iter().map(|(name, value)| (name.clone(), Self::of_value(value))))
            }
        }
    }

    /// Whether a value is one that the shape stands for; None is a value that is not there.
    #[cfg(test)]
    pub(crate) fn admits(&self, value: Option<&Value>) -> bool {
        use super::{Rest, Text};
        if self.any {
            return true;
        }
        match value {
            None => self.missing,
            Some(Value::Null) => self.null,
            Some(Value::Bool(_)) => self.boolean,
            Some(Value::Number(_)) => self.number,
            Some(Value::String(text)) => match &self.text {
                Some(Text::Any) => true,
                Some(Text::OneOf(words)) => words.contains(text),
                None => false,
            },
            Some(Value::Array(items)) => self.list.as_ref().is_some_and(|list| {
                items.len() >= list.least
                    && list.most.is_none_or(|most| items.len() <= most)
                    && items.iter().all(|item| list.item.admits(Some(item)))
            }),
            Some(Value::Object(fields)) => self.object.as_ref().is_some_and(|object| {
                let known = object.fields.iter().all(|(name, shape)| shape.admits(fields.get(name)));
                let mut others = fields.iter().filter(|(name, _)| !object.fields.contains_key(*name));
                known
                    && others.all(|(_, value)| match &object.rest {
                        Rest::None => false,
                        Rest::Undeclared => true,
                        Rest::Like(shape) => shape.admits(Some(value)),
                    })
            }),
        }
    }
}
