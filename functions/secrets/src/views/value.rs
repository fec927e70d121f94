//! A value on its way in.

use std::fmt;

use app::ports::SecretValue;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A text that no message repeats: where serde would tell what it found in its place, this says only that it is no text.
#[derive(Debug)]
pub(super) struct Value(pub(super) SecretValue);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

struct Text;

fn no_text<T, E: Error>() -> Result<T, E> {
    Err(E::custom("invalid type: a value is a string"))
}

impl Visitor<'_> for Text {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value(SecretValue::new(text)))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value, E> {
        no_text()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value, E> {
        no_text()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Value, E> {
        no_text()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        no_text()
    }
}
