//! The master keys of a deployment: one that wraps, and the one before it, that what it has wrapped can still be unwrapped.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::hmac;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::seal::KeyBytes;

/// The keys. As text a JSON object of `current` and, after a rotation, `previous`: 32 bytes each in base64url without padding.
pub struct MasterKeys {
    current: MasterKey,
    previous: Option<MasterKey>,
}

pub(crate) struct MasterKey {
    /// Follows from the key, so that nobody can give two keys one name.
    pub(crate) id: String,
    pub(crate) key: KeyBytes,
}

/// The keys can't be read. Says nothing of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the master keys are not a JSON object of `current` and maybe `previous`, 32 bytes each in base64url"
)]
pub struct MalformedKeys;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    current: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

impl Drop for Texts {
    fn drop(&mut self) {
        self.current.zeroize();
        self.previous.zeroize();
    }
}

impl MasterKeys {
    /// New keys as text.
    pub(crate) fn generate(current: &[u8; 32]) -> Result<Zeroizing<String>, serde_json::Error> {
        let texts = Texts { current: BASE64_URL_SAFE_NO_PAD.encode(current), previous: None };
        serde_json::to_string(&texts).map(Zeroizing::new)
    }

    /// Reads keys.
    pub fn parse(text: &str) -> Result<Self, MalformedKeys> {
        let texts: Texts = serde_json::from_str(text).map_err(|_| MalformedKeys)?;
        let current = MasterKey::parse(&texts.current)?;
        let previous = texts.previous.as_deref().map(MasterKey::parse).transpose()?;
        Ok(Self { current, previous })
    }

    /// The key that wraps.
    pub(crate) const fn current(&self) -> &MasterKey {
        &self.current
    }

    /// The key of this name.
    pub(crate) fn find(&self, id: &str) -> Option<&MasterKey> {
        [Some(&self.current), self.previous.as_ref()].into_iter().flatten().find(|key| key.id == id)
    }

    #[cfg(test)]
    pub(crate) fn of(current: [u8; 32], previous: Option<[u8; 32]>) -> Self {
        Self { current: MasterKey::new(current), previous: previous.map(MasterKey::new) }
    }

    #[cfg(test)]
    pub(crate) const fn previous(&self) -> Option<&MasterKey> {
        self.previous.as_ref()
    }
}

impl MasterKey {
    fn new(key: [u8; 32]) -> Self {
        let of_id = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), b"heddle master key id 1");
        let id = BASE64_URL_SAFE_NO_PAD.encode(&of_id.as_ref()[..12]);
        Self { id, key: Zeroizing::new(key) }
    }

    fn parse(text: &str) -> Result<Self, MalformedKeys> {
        let bytes = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| MalformedKeys)?);
        bytes.as_slice().try_into().map(Self::new).map_err(|_| MalformedKeys)
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let previous = self.previous.as_ref().map(|key| &key.id);
        f.debug_struct("MasterKeys").field("current", &self.current.id).field("previous", &previous).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_were_made_and_not_printed() {
        let text = MasterKeys::generate(&[7; 32]).unwrap();
        let keys = MasterKeys::parse(&text).unwrap();
        assert_eq!((&keys.current.key[..], keys.previous.is_none()), (&[7; 32][..], true));
        assert!(!format!("{keys:?}").contains(&BASE64_URL_SAFE_NO_PAD.encode([7; 32])));
        let rotated = MasterKeys::of([8; 32], Some([7; 32]));
        assert_eq!(rotated.find(&keys.current.id).unwrap().id, keys.current.id, "whatever its place");
        assert_ne!(rotated.current.id, keys.current.id);
        assert!(keys.find(&rotated.current.id).is_none());
    }

    #[test]
    fn what_are_no_keys_is_refused_without_repeating_it() {
        let short = BASE64_URL_SAFE_NO_PAD.encode([7; 31]);
        for text in [
            String::new(),
            "{}".to_owned(),
            format!(r#"{{"current": "{short}"}}"#),
            r#"{"current": "p4ssw0rd!"}"#.to_owned(),
            format!(r#"{{"current": "{}", "next": ""}}"#, BASE64_URL_SAFE_NO_PAD.encode([7; 32])),
        ] {
            assert_eq!(MasterKeys::parse(&text).unwrap_err(), MalformedKeys, "{text}");
        }
    }
}
