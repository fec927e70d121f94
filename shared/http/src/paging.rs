//! The two shapes of lists (api.md).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of a list that can be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// At most `limit` of them.
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: u64,
    /// The limit that was applied.
    pub limit: u32,
    /// How many were skipped.
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
