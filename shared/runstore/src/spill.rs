//! Attributes that may be large: inline up to a limit, else in the blob store under their SHA-256 (RUN-22).

use std::collections::HashMap;

use app::ports::{Blobs, StoreError};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::TeamId;
use engine::Digest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    error::{malformed, unavailable},
    items::{number, text},
};

/// Largest inline output, or inputs, of a run in bytes of JSON.
pub(crate) const VALUE_MAX: usize = 256 * 1024;
/// Largest inline rest of a step record. With an output beside it, an item stays below DynamoDB's 400 KB.
pub(crate) const RECORD_MAX: usize = 64 * 1024;
/// Largest inline version.
pub(crate) const VERSION_MAX: usize = 350 * 1024;

/// The attribute for a JSON text, spilled if it is longer than `max`.
pub(crate) async fn pack(
    blobs: &dyn Blobs,
    team: TeamId,
    json: String,
    max: usize,
) -> Result<AttributeValue, StoreError> {
    if json.len() <= max {
        return Ok(text(json));
    }
    let (digest, bytes) = (digest_of(json.as_bytes())?, json.len());
    blobs.put(team, &digest, json.into_bytes()).await?;
    let reference = [("sha256".to_owned(), text(digest.as_str())), ("bytes".to_owned(), number(&bytes))];
    Ok(AttributeValue::M(HashMap::from(reference)))
}

/// The JSON text of an attribute. A blob that does not have the digest it was stored under is refused.
pub(crate) async fn unpack(
    blobs: &dyn Blobs,
    team: TeamId,
    attribute: &AttributeValue,
) -> Result<String, StoreError> {
    let reference = match attribute {
        AttributeValue::S(inline) => return Ok(inline.clone()),
        AttributeValue::M(reference) => reference,
        _ => return Err(malformed("read a value", "text or reference")),
    };
    let sha256 = reference.get("sha256").and_then(|value| value.as_s().ok());
    let digest = parse_digest(sha256.ok_or_else(|| malformed("read a blob", "sha256"))?)?;
    let bytes = blobs.get(team, &digest).await.map_err(|error| match error {
        // The item exists, so this is a hole in the store and not an answer to the caller's question.
        StoreError::NotFound => unavailable("read a blob")(format!("blob {digest} is gone")),
        other => other,
    })?;
    if digest_of(&bytes)? != digest {
        return Err(unavailable("read a blob")(format!("blob {digest} has other content")));
    }
    String::from_utf8(bytes).map_err(unavailable("read a blob"))
}

fn digest_of(bytes: &[u8]) -> Result<Digest, StoreError> {
    parse_digest(&hex::encode(Sha256::digest(bytes)))
}

fn parse_digest(hex: &str) -> Result<Digest, StoreError> {
    serde_json::from_value(Value::from(hex)).map_err(unavailable("read a digest"))
}
