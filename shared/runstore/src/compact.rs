//! JSON as an attribute: text while it is short, deflated where that makes it smaller. DynamoDB bills a write by each started KB, and
//! a run's control state, which every commit writes whole, shrinks to a third.

use app::ports::StoreError;
use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::{
    error::{malformed, unavailable},
    items::Item,
};

/// What such JSON is likely to say: with it a short text is deflated as if it were the end of a long one. What is stored can be read
/// with the dictionary only that it was written with, so that it stays as it is; a better one gets a number of its own.
const DICTIONARY: &[u8] = include_bytes!("compact/dictionary-1.txt");

/// The number of the dictionary, the first byte of what is deflated.
const DICTIONARY_NUMBER: u8 = 1;

/// How much longer a text may be than what is left of its buffer when the buffer grows.
const GROWTH: usize = 16 * 1024;

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
        AttributeValue::B(bytes) => inflated(bytes.as_ref()).map(Some).map_err(unavailable(doing)),
        _ => Ok(None),
    }
}

/// The text of an attribute of this name, which holds one.
pub(crate) fn text_of(item: &Item, name: &'static str, doing: &'static str) -> Result<String, StoreError> {
    let found = item.get(name).map(|attribute| text(attribute, doing)).transpose()?;
    found.flatten().ok_or_else(|| malformed(doing, name))
}

fn deflated(json: &str) -> Option<Vec<u8>> {
    if json.len() < WORTH_IT {
        return None;
    }
    let mut deflate = Compress::new(Compression::default(), false);
    deflate.set_dictionary(DICTIONARY).ok()?;
    // No more room than is worth filling: what does not fit would not be smaller.
    let mut bytes = Vec::with_capacity(json.len());
    bytes.push(DICTIONARY_NUMBER);
    let status = deflate.compress_vec(json.as_bytes(), &mut bytes, FlushCompress::Finish).ok()?;
    (status == Status::StreamEnd).then_some(bytes)
}

fn inflated(bytes: &[u8]) -> Result<String, Unreadable> {
    let deflated = bytes.strip_prefix(&[DICTIONARY_NUMBER]).ok_or(Unreadable)?;
    let mut inflate = Decompress::new(false);
    inflate.set_dictionary(DICTIONARY).map_err(|_| Unreadable)?;
    let mut json = Vec::with_capacity(deflated.len() * 4);
    loop {
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let rest = usize::try_from(read).ok().and_then(|read| deflated.get(read..)).ok_or(Unreadable)?;
        let status =
            inflate.decompress_vec(rest, &mut json, FlushDecompress::None).map_err(|_| Unreadable)?;
        if status == Status::StreamEnd {
            return String::from_utf8(json).map_err(|_| Unreadable);
        }
        let is_stuck = (read, written) == (inflate.total_in(), inflate.total_out());
        if is_stuck && json.len() < json.capacity() {
            return Err(Unreadable);
        }
        json.reserve(GROWTH);
    }
}

/// Bytes that this code has not deflated.
#[derive(Debug, thiserror::Error)]
#[error("the attribute can't be inflated")]
struct Unreadable;

#[cfg(test)]
mod tests {
    use app::fakes::{a_run, team};
    use chrono::DateTime;
    use engine::{Digest, NodeState};

    use super::*;

    fn round(json: &str) -> (bool, Option<String>) {
        let attribute = attribute(json.to_owned());
        (attribute.is_b(), text(&attribute, "test").unwrap())
    }

    #[test]
    fn what_is_put_in_comes_out() {
        let long = format!("{{\"text\":\"{}\"}}", "ünïcode \u{1F600} ".repeat(10_000));
        for (json, is_deflated) in [("null", false), (&"[1]".repeat(66), false), (&long, true)] {
            assert_eq!(round(json), (is_deflated, Some(json.to_owned())));
        }
    }

    #[test]
    fn what_is_no_text_is_told_from_what_can_not_be_read() {
        assert_eq!(text(&AttributeValue::Null(true), "test").unwrap(), None);
        let whole = deflated(&"[1]".repeat(100)).unwrap();
        for bytes in [&[][..], &[9; 8], &[DICTIONARY_NUMBER, 0xFF, 0xFF], &whole[..whole.len() - 2]] {
            assert!(text(&AttributeValue::B(Blob::new(bytes)), "test").is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn the_state_of_ten_settled_nodes_is_a_third_of_its_text() {
        let mut run = a_run(team(), DateTime::UNIX_EPOCH);
        for i in 0..10 {
            let (attempt, output) = (1, Digest::of(&i));
            let state = NodeState::Succeeded { attempt, output, settled_at: i, label: None };
            run.nodes.insert(format!("step_{i}").as_str().into(), state);
        }
        let json = serde_json::to_string(&run).unwrap();
        let bytes = deflated(&json).unwrap().len();
        // Half of it are digests and ids, which chance has made.
        assert!(bytes < 600 && bytes * 5 < json.len() * 2, "{bytes} of {}", json.len());
    }
}
