//! The rule for values too large to be stored with their run: they go to the blob store under their SHA-256, and what is stored
//! with the run refers to them (RUN-22).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use domain::TeamId;
use engine::Digest;
use futures::future::try_join_all;
use serde_json::Value;

use crate::ports::{Blobs, StoreError, unavailable};

const READING: &str = "read a blob";

/// Largest output, or inputs, of a run that are stored with it, in bytes of JSON.
pub const VALUE_MAX: usize = 256 * 1024;

/// Values that are read or written at once,
const AT_ONCE: usize = 8;

/// and the bytes of JSON after which no further one joins them.
const ROOM: usize = 16 * 1024 * 1024;

/// Values with the length of their JSON, in groups of what may be read or written at once: many small ones, or a large one by itself. The
/// next value is asked for when its group is.
pub fn groups<T>(mut values: impl Iterator<Item = (T, usize)>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let (mut group, mut bytes) = (Vec::new(), 0);
        while group.len() < AT_ONCE
            && bytes < ROOM
            && let Some((value, more)) = values.next()
        {
            group.push(value);
            bytes = more.saturating_add(bytes);
        }
        (!group.is_empty()).then_some(group)
    })
}

/// The length of a blob of which none was noted; it is read by itself.
pub const UNKNOWN: usize = usize::MAX;

/// A JSON text as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// The text itself.
    Inline(String),
    /// A blob of the team.
    Blob {
        /// SHA-256 of the text, which the blob is stored under.
        sha256: Digest,
        /// Length of the text.
        bytes: usize,
    },
}

/// Prepares a text for storage; one longer than `max` is a durable blob when this answers.
pub async fn put(blobs: &dyn Blobs, team: TeamId, json: String, max: usize) -> Result<Stored, StoreError> {
    if json.len() <= max {
        return Ok(Stored::Inline(json));
    }
    let (sha256, bytes) = (Digest::of_bytes(json.as_bytes()), json.len());
    blobs.put(team, &sha256, json.into_bytes()).await?;
    Ok(Stored::Blob { sha256, bytes })
}

/// The text again. A blob that does not have the digest it was stored under is refused.
pub async fn get(blobs: &dyn Blobs, team: TeamId, stored: Stored) -> Result<String, StoreError> {
    let sha256 = match stored {
        Stored::Inline(json) => return Ok(json),
        Stored::Blob { sha256, .. } => sha256,
    };
    let bytes = blobs.get(team, &sha256).await.map_err(|error| match error {
        // What refers to it exists, so this is a hole in the store and not an answer to the caller's question.
        StoreError::NotFound => unavailable(READING)(format!("blob {sha256} is gone")),
        other => other,
    })?;
    if Digest::of_bytes(&bytes) != sha256 {
        return Err(unavailable(READING)(format!("blob {sha256} has other content")));
    }
    String::from_utf8(bytes).map_err(unavailable(READING))
}

/// Values that were blobs: read once and held once, however many places refer to them.
#[derive(Debug, Default)]
pub struct LargeValues(HashMap<Digest, Arc<Value>>);

impl LargeValues {
    /// Reads the blobs of a team that have these digests and lengths.
    pub async fn read(
        blobs: &dyn Blobs,
        team: TeamId,
        references: BTreeMap<Digest, usize>,
    ) -> Result<Self, StoreError> {
        let mut values = HashMap::new();
        for group in groups(references.into_iter().map(|(sha256, bytes)| ((sha256, bytes), bytes))) {
            let reading = group.into_iter().map(|(sha256, bytes)| async move {
                let json = get(blobs, team, Stored::Blob { sha256: sha256.clone(), bytes }).await?;
                let value: Value = serde_json::from_str(&json).map_err(unavailable(READING))?;
                Ok::<_, StoreError>((sha256, Arc::new(value)))
            });
            values.extend(try_join_all(reading).await?);
        }
        Ok(Self(values))
    }

    /// The value with this digest, which is one of those that were read.
    pub fn get(&self, sha256: &Digest) -> Result<Arc<Value>, StoreError> {
        let value = self.0.get(sha256).map(Arc::clone);
        value.ok_or_else(|| unavailable(READING)(format!("blob {sha256} was not read")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_joins_a_large_one() {
        let sizes = [1, 2, ROOM, 3, UNKNOWN, UNKNOWN].into_iter().chain([0; AT_ONCE + 1]);
        let mut groups = groups(sizes.map(|bytes| (bytes, bytes)));
        assert_eq!(groups.next(), Some(vec![1, 2, ROOM]));
        assert_eq!(groups.next(), Some(vec![3, UNKNOWN]));
        assert_eq!(groups.next(), Some(vec![UNKNOWN]));
        assert_eq!(groups.next(), Some(vec![0; AT_ONCE]));
        assert_eq!((groups.next(), groups.next()), (Some(vec![0]), None));
    }
}
