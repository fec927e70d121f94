//! The keys that sign access tokens: Ed25519 (RFC 8032), each named by its thumbprint (RFC 7638).

use std::fmt;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::text::{decode, encode, sha256};

/// The keys of a deployment: one signs, and those before and after it in the rotation are known too, so that a process that has not heard
/// of a rotation yet still understands one that has, and the other way round.
///
/// As text it is a JSON object of seeds, 32 bytes each in base64url: `current`, `next`, and after a rotation `previous`.
pub struct KeySet {
    /// The one that signs first; none where nothing was ever signed.
    keys: Vec<Key>,
}

struct Key {
    id: String,
    pair: Ed25519KeyPair,
}

/// The keys can't be read. Says nothing of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the signing keys are not a JSON object of `current`, `next` and maybe `previous`, 32 bytes each in base64url"
)]
pub struct MalformedKeys;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seeds {
    current: String,
    next: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

impl KeySet {
    /// No key: every token is refused.
    pub(crate) const fn none() -> Self {
        Self { keys: Vec::new() }
    }

    /// New keys as text.
    pub(crate) fn generate(current: &[u8; 32], next: &[u8; 32]) -> Result<String, serde_json::Error> {
        let seeds = Seeds { current: encode(current), next: encode(next), previous: None };
        serde_json::to_string(&seeds)
    }

    /// The text of these keys after a rotation: the next one signs, the one that did is known a while longer, and `seed` comes next.
    pub fn rotated(text: &str, seed: &[u8; 32]) -> Result<String, MalformedKeys> {
        Self::parse(text)?;
        let Seeds { current, next, .. } = serde_json::from_str(text).map_err(|_| MalformedKeys)?;
        let seeds = Seeds { current: next, next: encode(seed), previous: Some(current) };
        serde_json::to_string(&seeds).map_err(|_| MalformedKeys)
    }

    /// Reads keys.
    pub fn parse(text: &str) -> Result<Self, MalformedKeys> {
        let seeds: Seeds = serde_json::from_str(text).map_err(|_| MalformedKeys)?;
        let seeds = [Some(seeds.current), Some(seeds.next), seeds.previous];
        let keys: Result<Vec<Key>, MalformedKeys> =
            seeds.iter().flatten().map(|seed| Key::parse(seed)).collect();
        Ok(Self { keys: keys? })
    }

    /// The public halves.
    pub fn jwks(&self) -> Jwks {
        Jwks { keys: self.keys.iter().map(Key::jwk).collect() }
    }

    /// Whether there is a key of this name.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.id == id)
    }

    /// The name of the key that signs.
    pub(crate) fn current(&self) -> Option<&str> {
        self.keys.first().map(|key| key.id.as_str())
    }

    /// The signature of the key that signs.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.keys.first().map(|key| key.pair.sign(message).as_ref().to_vec())
    }

    /// Whether the key of this name made this signature.
    pub(crate) fn verifies(&self, id: &str, message: &[u8], signature: &[u8]) -> bool {
        let key = self.keys.iter().find(|key| key.id == id);
        key.is_some_and(|key| {
            UnparsedPublicKey::new(&ED25519, key.pair.public_key()).verify(message, signature).is_ok()
        })
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

impl Key {
    fn parse(seed: &str) -> Result<Self, MalformedKeys> {
        let seed = decode(seed).ok_or(MalformedKeys)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| MalformedKeys)?;
        let x = encode(pair.public_key().as_ref());
        let id = encode(&sha256(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes()));
        Ok(Self { id, pair })
    }

    fn jwk(&self) -> Jwk {
        Jwk {
            kid: self.id.clone(),
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            public_key_use: "sig",
            x: encode(self.pair.public_key().as_ref()),
        }
    }
}

/// Public keys (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The one that signs now, the next one, and the one before.
    pub keys: Vec<Jwk>,
}

/// A public key (RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// Its thumbprint.
    pub kid: String,
    /// Always `OKP`.
    pub kty: &'static str,
    /// Always `Ed25519`.
    pub crv: &'static str,
    /// Always `EdDSA`.
    pub alg: &'static str,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub public_key_use: &'static str,
    /// The key, 32 bytes in base64url.
    pub x: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_rfc_8037_has_its_public_half_and_thumbprint() {
        let seed = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
        let keys = KeySet::parse(&format!(r#"{{"current": "{seed}", "next": "{seed}"}}"#)).unwrap();
        let jwk = &keys.jwks().keys[0];
        assert_eq!(jwk.x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(jwk.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert!(!format!("{keys:?}").contains(seed));
    }

    #[test]
    fn a_rotation_lets_the_next_key_sign_and_keeps_the_one_before() {
        let name = |keys: &KeySet, index: usize| keys.jwks().keys[index].kid.clone();
        let before = KeySet::generate(&[1; 32], &[2; 32]).unwrap();
        let after = KeySet::rotated(&before, &[3; 32]).unwrap();
        let (before, after) = (KeySet::parse(&before).unwrap(), KeySet::parse(&after).unwrap());
        assert_eq!((name(&after, 0), name(&after, 2)), (name(&before, 1), name(&before, 0)));
        assert!(!before.knows(&name(&after, 1)));
        let again = KeySet::rotated(&KeySet::generate(&[2; 32], &[3; 32]).unwrap(), &[4; 32]).unwrap();
        assert!(!KeySet::parse(&again).unwrap().knows(&name(&before, 0)), "after two it is gone");
        assert_eq!(KeySet::rotated("{}", &[3; 32]), Err(MalformedKeys));
    }

    #[test]
    fn what_is_no_set_of_keys_is_refused_and_not_repeated() {
        let seed = encode(&[7; 32]);
        for bad in [
            String::new(),
            "hunter2".to_owned(),
            r#"{"current": "hunter2", "next": "hunter2"}"#.to_owned(),
            format!(r#"{{"current": "{seed}"}}"#),
            format!(r#"{{"current": "{seed}", "next": "{}"}}"#, encode(&[7; 31])),
            format!(r#"{{"current": "{seed}", "next": "{seed}", "later": "{seed}"}}"#),
        ] {
            let error = KeySet::parse(&bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
