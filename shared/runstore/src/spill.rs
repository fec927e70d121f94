//! Attributes that may be large: text (see [`compact`]), or a reference to a blob as `{sha256, bytes}` (see [`app::spill`]).

use std::{collections::HashMap, sync::Arc};

use app::{
    ports::{Blobs, StoreError},
    spill::{self, LargeValues, Stored},
};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::TeamId;
use engine::Digest;
use serde_json::Value;

use crate::{
    compact,
    error::{malformed, unavailable},
    items::{number, text},
};

const READING: &str = "read a value";

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
        Stored::Inline(json) => compact::attribute(json),
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
    let stored = if let Some(inline) = compact::text(attribute, READING)? {
        Stored::Inline(inline)
    } else {
        let (sha256, bytes) = reference_in(attribute)?;
        Stored::Blob { sha256, bytes }
    };
    spill::get(blobs, team, stored).await
}

/// Reads the blobs that attributes refer to.
pub(crate) async fn read_large(
    blobs: &dyn Blobs,
    team: TeamId,
    attributes: impl Iterator<Item = &AttributeValue>,
) -> Result<LargeValues, StoreError> {
    let references = attributes.filter(|attribute| attribute.is_m()).map(reference_in);
    LargeValues::read(blobs, team, references.collect::<Result<_, _>>()?).await
}

/// The value of an attribute, whose blob was read if it has one.
pub(crate) fn value_of(attribute: &AttributeValue, large: &LargeValues) -> Result<Arc<Value>, StoreError> {
    match compact::text(attribute, READING)? {
        Some(inline) => serde_json::from_str(&inline).map(Arc::new).map_err(unavailable(READING)),
        None => large.get(&reference_in(attribute)?.0),
    }
}

/// The digest and the length of the blob that an attribute refers to.
fn reference_in(attribute: &AttributeValue) -> Result<(Digest, usize), StoreError> {
    let reference = attribute.as_m().map_err(|_| malformed(READING, "text or reference"))?;
    let sha256 =
        reference.get("sha256").and_then(|value| value.as_s().ok()).and_then(|hex| Digest::parse(hex));
    let bytes = reference.get("bytes").and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok());
    sha256.zip(bytes).ok_or_else(|| malformed("read a blob", "sha256 or bytes"))
}
