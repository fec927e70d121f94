//! The rule for values too large to be stored with their run: they go to the blob store under their SHA-256, and what is stored
//! with the run refers to them (RUN-22).

use domain::TeamId;
use engine::Digest;

use crate::ports::{Blobs, StoreError, unavailable};

const READING: &str = "read a blob";

/// Largest output, or inputs, of a run that are stored with it, in bytes of JSON.
pub const VALUE_MAX: usize = 256 * 1024;

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
