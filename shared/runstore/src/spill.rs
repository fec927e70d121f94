//! Attributes that may be large: text, or a reference to a blob as `{sha256, bytes}` (see [`app::spill`]).

use std::collections::HashMap;

use app::{
    ports::{Blobs, StoreError},
    spill::{self, Stored},
};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::TeamId;
use engine::Digest;

use crate::{
    error::malformed,
    items::{number, text},
};

pub(crate) use app::spill::VALUE_MAX;
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
    Ok(match spill::put(blobs, team, json, max).await? {
        Stored::Inline(json) => text(json),
        Stored::Blob { sha256, bytes } => AttributeValue::M(HashMap::from([
            ("sha256".to_owned(), text(sha256.as_str())),
            ("bytes".to_owned(), number(&bytes)),
        ])),
    })
}

/// The JSON text of an attribute.
pub(crate) async fn unpack(
    blobs: &dyn Blobs,
    team: TeamId,
    attribute: &AttributeValue,
) -> Result<String, StoreError> {
    let stored = match attribute {
        AttributeValue::S(inline) => Stored::Inline(inline.clone()),
        AttributeValue::M(reference) => reference_of(reference)?,
        _ => return Err(malformed("read a value", "text or reference")),
    };
    spill::get(blobs, team, stored).await
}

fn reference_of(reference: &HashMap<String, AttributeValue>) -> Result<Stored, StoreError> {
    let sha256 =
        reference.get("sha256").and_then(|value| value.as_s().ok()).and_then(|hex| Digest::parse(hex));
    let bytes = reference.get("bytes").and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok());
    match (sha256, bytes) {
        (Some(sha256), Some(bytes)) => Ok(Stored::Blob { sha256, bytes }),
        _ => Err(malformed("read a blob", "sha256 or bytes")),
    }
}
