//! An issuer that is not ours: what it publishes, and what it signs.

use app::{fakes::MemoryWeb, ports::Name};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    },
};
use serde_json::{Value, json};

use crate::world::{ADA, World};

/// RSA keys can't be made here, and take long to. This one was made for these tests.
const RSA: &[u8] = include_bytes!("rsa-2048.pk8");

pub(crate) const CORP: &str = "https://id.example.com";

/// What signs.
pub(crate) enum Key {
    Rsa,
    P256(Box<EcdsaKeyPair>),
    Ed25519([u8; 32]),
}

impl Key {
    pub(crate) fn p256() -> Self {
        let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self::P256(Box::new(EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap()))
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa => "RS256",
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa => {
                let pair = RsaKeyPair::from_pkcs8(RSA).unwrap();
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(seed) => {
                Ed25519KeyPair::from_seed_unchecked(seed).unwrap().sign(message).as_ref().to_vec()
            }
        }
    }

    /// As it is published.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Rsa => {
                let pair = RsaKeyPair::from_pkcs8(RSA).unwrap();
                let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kid": kid, "kty": "RSA", "use": "sig", "n": encode(&public.n), "e": encode(&public.e)})
            }
            Self::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kid": kid, "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            Self::Ed25519(seed) => {
                let pair = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
                json!({"kid": kid, "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())})
            }
        }
    }

    /// A token of this key.
    pub(crate) fn token(&self, kid: &str, payload: &Value) -> String {
        let header = json!({"alg": self.algorithm(), "typ": "JWT", "kid": kid});
        sealed(&header, payload, |signed| self.sign(signed))
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn sealed(header: &Value, payload: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signed =
        format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.to_string().as_bytes()));
    let signature = encode(&sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// What an access token of [`CORP`] for us says.
pub(crate) fn access() -> Value {
    json!({
        "iss": CORP, "aud": "heddle", "sub": "corp|7", "iat": 1_770_000_000, "exp": 1_770_000_600, "jti": "t-1",
        "email": ADA, "email_verified": true,
    })
}

pub(crate) fn access_with(name: &str, value: Value) -> Value {
    let mut payload = access();
    payload[name] = value;
    payload
}

/// Where an issuer's documents are.
pub(crate) fn places(issuer: &str) -> [String; 2] {
    [format!("{issuer}/.well-known/openid-configuration"), format!("{issuer}/keys")]
}

/// Lets an issuer publish these keys.
pub(crate) fn publish(web: &MemoryWeb, issuer: &str, keys: &[Value]) {
    let [document, set] = places(issuer);
    let endpoints = json!({
        "issuer": issuer, "jwks_uri": set, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
    });
    web.publish(&document, endpoints);
    web.publish(&set, json!({ "keys": keys }));
}

/// Configures the issuers that the world's deployment trusts.
pub(crate) fn trust(world: &World, providers: &Value) {
    world.secrets.replace(&Name::parse("oidc-providers").unwrap(), &providers.to_string());
}
