//! Digests of values.

use std::{
    fmt,
    io::{self, BufWriter, Write as _},
    mem,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a value's JSON, in hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of any JSON-like value. Object keys count in their order.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        Self::and_size_of(value).0
    }

    /// The digest, and the bytes of the JSON that it is of.
    pub fn and_size_of<T: Serialize + ?Sized>(value: &T) -> (Self, usize) {
        let mut writer = BufWriter::new(Hashing::default());
        // Values that reach this point were built from JSON, and hashing takes any bytes, so neither writing
        // nor flushing can fail.
        let _ =
            serde_json::to_writer(&mut writer, value).map_err(io::Error::from).and_then(|()| writer.flush());
        let Hashing { hash, bytes } = mem::take(writer.get_mut());
        (Self(hex::encode(hash.finalize())), bytes)
    }

    /// The digest of bytes as they are. Of a JSON text it is the digest of the value that the text was written from.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    /// Reads 64 lower-case hex digits; None if the text is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digest = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_digest.then(|| Self(text.to_owned()))
    }

    /// 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A writer that keeps nothing but the digest and the length.
#[derive(Default)]
struct Hashing {
    hash: Sha256,
    bytes: usize,
}

impl io::Write for Hashing {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.hash.update(part);
        self.bytes += part.len();
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
