//! JSON as an attribute: text while it is short, deflated where that makes it smaller. DynamoDB bills a write by each started KB, and
//! a run's control state, which every commit writes whole, shrinks to a third.

use std::io::{Read as _, Write as _};

use app::ports::StoreError;
use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

use crate::error::{malformed, unavailable};

/// Shorter texts gain next to nothing.
const WORTH_IT: usize = 200;

/// The attribute that holds this text.
pub(crate) fn attribute(json: String) -> AttributeValue {
    match deflated(&json) {
        Some(bytes) => AttributeValue::B(Blob::new(bytes)),
        None => AttributeValue::S(json),
    }
}

/// The text that an attribute holds, or None if it is no text.
pub(crate) fn text(attribute: &AttributeValue, doing: &'static str) -> Result<Option<String>, StoreError> {
    match attribute {
        AttributeValue::S(json) => Ok(Some(json.clone())),
        AttributeValue::B(bytes) => {
            let mut json = String::new();
            let read = DeflateDecoder::new(bytes.as_ref()).read_to_string(&mut json);
            read.map(|_| Some(json)).map_err(unavailable(doing))
        }
        _ => Ok(None),
    }
}

/// The text of an attribute of this name, which holds one.
pub(crate) fn text_of(
    item: &crate::items::Item,
    name: &'static str,
    doing: &'static str,
) -> Result<String, StoreError> {
    let found = item.get(name).map(|attribute| text(attribute, doing)).transpose()?;
    found.flatten().ok_or_else(|| malformed(doing, name))
}

fn deflated(json: &str) -> Option<Vec<u8>> {
    if json.len() < WORTH_IT {
        return None;
    }
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(json.len() / 2), Compression::default());
    encoder.write_all(json.as_bytes()).ok()?;
    encoder.finish().ok().filter(|bytes| bytes.len() < json.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(json: &str) -> (bool, Option<String>) {
        let attribute = attribute(json.to_owned());
        (attribute.is_b(), text(&attribute, "test").unwrap())
    }

    #[test]
    fn what_is_put_in_comes_out() {
        let long = format!("{{\"text\":\"{}\"}}", "ünïcode \u{1F600} ".repeat(100));
        for (json, is_deflated) in [("null", false), (&"[1]".repeat(66), false), (&long, true)] {
            assert_eq!(round(json), (is_deflated, Some(json.to_owned())));
        }
    }

    #[test]
    fn what_is_no_text_is_told_from_what_can_not_be_read() {
        assert_eq!(text(&AttributeValue::Null(true), "test").unwrap(), None);
        assert!(text(&AttributeValue::B(Blob::new([0xFF; 8])), "test").is_err());
    }
}
