//! Enums as text columns. The words are those of the enum's JSON form, so that they stand in one place.

use serde::{
    Serialize,
    de::{DeserializeOwned, IntoDeserializer, value::Error as NoSuchWord},
};
use serde_json::Value;
use sqlx::{
    Postgres, Type,
    error::BoxDynError,
    postgres::{PgTypeInfo, PgValueRef},
};

/// The word for a value of an enum.
pub(crate) fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        other => unreachable!("an enum without fields is a word in JSON, not {other:?}"),
    }
}

/// A text column that holds the word of a `T`.
#[derive(Debug)]
pub(crate) struct Word<T>(pub(crate) T);

impl<T> Type<Postgres> for Word<T> {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }
}

impl<'r, T: DeserializeOwned> sqlx::Decode<'r, Postgres> for Word<T> {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let text = <&str as sqlx::Decode<Postgres>>::decode(value)?;
        let deserializer: serde::de::value::StrDeserializer<'_, NoSuchWord> = text.into_deserializer();
        Ok(Self(T::deserialize(deserializer)?))
    }
}
