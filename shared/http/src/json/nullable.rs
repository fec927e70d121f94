//! Members of a body that null means something else for than their absence.

use serde::{Deserialize, Deserializer};

/// What a `PATCH` says of something that an entity may be without (RFC 7396): absent, it stays; null takes it away. Goes with
/// `#[serde(default)]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Nullable<T> {
    /// Nothing was said.
    #[default]
    Absent,
    /// It is to be taken away.
    Null,
    /// It is to be this.
    Value(T),
}

impl<T> Nullable<T> {
    /// Does what was said to a field.
    pub fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Absent => {}
            Self::Null => *field = None,
            Self::Value(value) => *field = Some(value),
        }
    }

    /// The value, where there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        label: Nullable<String>,
    }

    #[test]
    fn absent_null_and_a_value_are_told_apart() {
        for (body, expected) in
            [(json!({}), Some("old")), (json!({"label": null}), None), (json!({"label": "new"}), Some("new"))]
        {
            let body: Body = serde_json::from_value(body).unwrap();
            let mut label = Some("old".to_owned());
            body.label.apply(&mut label);
            assert_eq!(label.as_deref(), expected);
        }
    }
}
