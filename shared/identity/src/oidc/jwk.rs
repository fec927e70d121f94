//! Public keys of other issuers (RFC 7517, RFC 7518, RFC 8037).

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

use crate::text::decode;

/// The keys of an issuer that may have signed something.
#[derive(Debug, Default)]
pub(crate) struct ForeignKeys(Vec<ForeignKey>);

/// A key, with the one algorithm that goes with it, whatever a token says.
#[derive(Debug)]
pub(crate) struct ForeignKey {
    id: String,
    public: Public,
}

#[derive(Debug)]
enum Public {
    /// RS256. The signature's check refuses what is shorter than 2048 bits.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// ES256: a point that is not compressed.
    P256(Vec<u8>),
    /// `EdDSA`.
    Ed25519(Vec<u8>),
}

/// As it is published. What is secret in it is not read, and a key for anything else than signatures is left out.
#[derive(Deserialize)]
struct Published {
    kid: String,
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl ForeignKeys {
    /// Reads a set (RFC 7517, section 5). Keys of other kinds, such as those that sign and verify alike, are left out. None if it is no set.
    pub(crate) fn parse(set: &Value) -> Option<Self> {
        let keys = set.get("keys")?.as_array()?;
        Some(Self(keys.iter().filter_map(ForeignKey::parse).collect()))
    }

    /// The key of this name.
    pub(crate) fn find(&self, id: &str) -> Option<&ForeignKey> {
        self.0.iter().find(|key| key.id == id)
    }
}

impl ForeignKey {
    fn parse(key: &Value) -> Option<Self> {
        let published = Published::deserialize(key).ok()?;
        let public = Public::of(&published)?;
        let is_for_signatures = published.usage.as_deref().is_none_or(|usage| usage == "sig")
            && published.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"))
            && published.alg.as_deref().is_none_or(|alg| alg == public.algorithm());
        is_for_signatures.then_some(Self { id: published.kid, public })
    }

    /// What a token's header has to say.
    pub(crate) const fn algorithm(&self) -> &'static str {
        self.public.algorithm()
    }

    /// Whether it made this signature.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.public {
            Public::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            Public::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Public::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
        };
        verified.is_ok()
    }
}

impl Public {
    fn of(key: &Published) -> Option<Self> {
        let bytes = |text: &Option<String>| text.as_deref().and_then(decode);
        let of_32 = |text: &Option<String>| bytes(text).filter(|bytes| bytes.len() == 32);
        match (key.kty.as_str(), key.crv.as_deref()) {
            ("RSA", None) => Some(Self::Rsa { n: number(bytes(&key.n)?), e: number(bytes(&key.e)?) }),
            ("EC", Some("P-256")) => Some(Self::P256([vec![4], of_32(&key.x)?, of_32(&key.y)?].concat())),
            ("OKP", Some("Ed25519")) => of_32(&key.x).map(Self::Ed25519),
            _ => None,
        }
    }

    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RS256",
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }
}

/// Without the zeros that some write before a number, and that ring refuses.
fn number(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::text::encode;

    fn algorithm(key: &Value) -> Option<&'static str> {
        ForeignKey::parse(key).map(|key| key.algorithm())
    }

    #[test]
    fn a_key_has_one_algorithm() {
        let (x, n) = (encode(&[1; 32]), encode(&[0xC0; 256]));
        let rsa = json!({"kid": "k", "kty": "RSA", "n": n, "e": "AQAB"});
        let p256 = json!({"kid": "k", "kty": "EC", "crv": "P-256", "x": x, "y": x});
        let ed25519 = json!({"kid": "k", "kty": "OKP", "crv": "Ed25519", "x": x});
        let given = [(rsa, "RS256"), (p256, "ES256"), (ed25519, "EdDSA")];
        for (key, expected) in &given {
            assert_eq!(algorithm(key), Some(*expected));
            for (name, value, is_taken) in [
                ("use", json!("sig"), true),
                ("use", json!("enc"), false),
                ("key_ops", json!(["verify"]), true),
                ("key_ops", json!(["encrypt"]), false),
                ("alg", json!(expected), true),
                ("alg", json!("HS256"), false),
                ("alg", json!("RS512"), false),
                ("kid", Value::Null, false),
            ] {
                let mut key = key.clone();
                key[name] = value;
                assert_eq!(algorithm(&key).is_some(), is_taken, "{key}");
            }
        }
    }

    #[test]
    fn other_keys_are_left_out() {
        let x = encode(&[1; 32]);
        for key in [
            json!({"kid": "k", "kty": "oct", "k": x}),
            json!({"kid": "k", "kty": "EC", "crv": "P-384", "x": x, "y": x}),
            json!({"kid": "k", "kty": "EC", "crv": "P-256", "x": x}),
            json!({"kid": "k", "kty": "EC", "crv": "P-256", "x": encode(&[1; 31]), "y": x}),
            json!({"kid": "k", "kty": "OKP", "crv": "X25519", "x": x}),
            json!({"kid": "k", "kty": "RSA", "e": "AQAB"}),
            json!({"kid": "k", "kty": "RSA", "crv": "P-256", "n": x, "e": "AQAB", "x": x, "y": x}),
            json!("k"),
        ] {
            assert_eq!(algorithm(&key), None, "{key}");
        }
        assert!(ForeignKeys::parse(&json!({"keys": "none"})).is_none());
        assert!(ForeignKeys::parse(&json!([])).is_none());
    }

    #[test]
    fn a_key_that_is_too_short_verifies_nothing() {
        // 1024 bits, and what it rightly signed.
        let n = "phW96QcEzNGemNutIi39q7OIgr1KGO5lhqtdB3C9Pe2CYuBHg-ktrgFf9DlqZQWvcTPIZ7CgAWSJRXrQHhZIfxAxN2rd2_FLWDiGKSj95W2T\
            S3Rlb54uBhLjwFaKAy54KTPi8XorPHejKhDQ086z6WIXGAw1JIWdNir3oMM9wIs";
        let signature = "Tn6sB5dZHuP7m0ku4NorX5V6EQR0zKAaUmlej8WE21awtdjxZxiLXDQunGN9Uj6f91MQCpWtfINTSezlEO5YBVAjYnwrqlx9XLihpBTF\
            YEw32VbhqZ3-9AKGX84__vFlzlZ4r_df1Lgr6RVlj4kkglTTsDW5HfG7wW5Kb3phkk4";
        let key = json!({"kid": "k", "kty": "RSA", "n": n, "e": "AQAB"});
        let key = ForeignKey::parse(&key).unwrap();
        let signature = decode(signature).unwrap();
        assert!(!key.verifies(b"a message", &signature));
        // The signature is right: only the length is not.
        let Public::Rsa { n, e } = &key.public else { panic!("of another kind") };
        let lenient = &ring::signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
        assert!(RsaPublicKeyComponents { n, e }.verify(lenient, b"a message", &signature).is_ok());
    }
}
