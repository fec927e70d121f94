//! The two shapes of lists (api.md).

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, IntoDeserializer as _},
};
use utoipa::{IntoParams, ToSchema};

/// A page of a list that can be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// At most `limit` of them.
    pub items: Vec<T>,
    /// How many there are in all.
    #[schema(example = 1)]
    pub total: u64,
    /// The limit that was applied.
    #[schema(example = 20)]
    pub limit: u32,
    /// How many were skipped.
    #[schema(example = 0)]
    pub offset: u32,
}

/// A page of a long stream, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CursorPage<T> {
    /// At most as many as asked for.
    pub items: Vec<T>,
    /// What to send as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// How many items to answer: 1 to 100, 20 where the client does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Limit(u32);

impl Limit {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

impl TryFrom<u32> for Limit {
    type Error = &'static str;

    fn try_from(limit: u32) -> Result<Self, Self::Error> {
        if (1..=100).contains(&limit) { Ok(Self(limit)) } else { Err("expected 1 to 100") }
    }
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// 1 to 100; 20 where absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    pub limit: Limit,
    /// How many to skip.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    pub offset: u32,
}

impl PageQuery {
    /// That part of a list which is at hand as a whole.
    pub fn page_of<T>(self, items: Vec<T>) -> Page<T> {
        let (limit, offset) = (self.limit.get(), self.offset);
        let total = items.len() as u64;
        let items = items.into_iter().skip(offset as usize).take(limit as usize).collect();
        Page { items, total, limit, offset }
    }
}

/// Words of a parameter with commas between them, each of which fits `T`; empty where the parameter is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommaSeparated<T>(pub Vec<T>);

impl<T> Default for CommaSeparated<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for CommaSeparated<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let words = text.split(',').map(|word| {
            T::deserialize(word.to_owned().into_deserializer())
                .map_err(|error: serde::de::value::Error| D::Error::custom(error))
        });
        words.collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Good,
        Better,
    }

    #[derive(Deserialize)]
    struct Question {
        #[serde(default)]
        words: CommaSeparated<Word>,
    }

    #[test]
    fn words_are_read_between_commas() {
        let read = |query| serde_urlencoded::from_str::<Question>(query).map(|question| question.words.0);
        assert_eq!(read("").unwrap(), []);
        assert_eq!(read("words=good").unwrap(), [Word::Good]);
        assert_eq!(read("words=good,better").unwrap(), [Word::Good, Word::Better]);
        for bad in ["words=", "words=good,", "words=bad", "words=good;better"] {
            let error = read(bad).unwrap_err().to_string();
            assert!(error.contains("unknown variant"), "{bad}: {error}");
        }
    }
}
