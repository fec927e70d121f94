//! Attacks on access tokens.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use identity::{ACCESS_LIFE, Claims, Refusal, Unverified};
use ring::{hmac, signature::Ed25519KeyPair};
use serde_json::{Value, json};

use crate::world::{ADA, World};

/// A seed that the world's deployment signs with.
const SEED: [u8; 32] = [7; 32];

struct Forge {
    world: World,
    kid: String,
    public: String,
}

impl Forge {
    async fn new() -> Self {
        let world = World::new();
        let text = json!({"current": encode(&SEED), "next": encode(&[8; 32])}).to_string();
        world.secrets.replace(&app::ports::Name::parse("token-keys").unwrap(), &text);
        let jwks = world.identity.jwks().await.unwrap();
        Self { kid: jwks.keys[0].kid.clone(), public: jwks.keys[0].x.clone(), world }
    }

    fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.kid})
    }

    fn header_with(&self, name: &str, value: Value) -> Value {
        with(self.header(), name, value)
    }

    async fn verify(&self, token: &str) -> Result<Claims, Unverified> {
        self.world.identity.verifier().verify(token).await
    }

    async fn refusal(&self, token: &str) -> Refusal {
        match self.verify(token).await {
            Err(Unverified::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    async fn refusal_of(&self, name: &str, value: Value) -> Refusal {
        self.refusal(&signed(&self.header(), &payload_with(name, value))).await
    }
}

/// What a token of the world says.
fn payload() -> Value {
    json!({
        "iss": "heddle/test", "aud": "heddle/test/api", "type": "access", "email": ADA,
        "sub": "01961234-5678-7abc-8def-0123456789ab", "sid": "01961234-5678-7abc-8def-0123456789ac",
        "iat": 1_770_000_000, "exp": 1_770_000_900, "jti": "01961234-5678-7abc-8def-0123456789ad",
    })
}

fn payload_with(name: &str, value: Value) -> Value {
    with(payload(), name, value)
}

/// Signed by the world's own key, as somebody could who has it.
fn signed(header: &Value, payload: &Value) -> String {
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
    sealed(header, payload, |signed| pair.sign(signed).as_ref().to_vec())
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn with(mut value: Value, name: &str, part: Value) -> Value {
    value[name] = part;
    value
}

fn sealed(header: &Value, payload: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signed =
        format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.to_string().as_bytes()));
    let signature = encode(&sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[tokio::test]
async fn a_token_says_who_signed_in_and_holds_for_a_quarter_of_an_hour() {
    let world = World::new();
    let signed_in = world.signed_up(ADA).await;
    let verify = async || world.identity.verifier().verify(&signed_in.access_token).await;
    let claims = verify().await.unwrap();
    assert_eq!(claims.member_id, signed_in.account.member_id);
    assert_eq!((claims.email.as_str(), claims.session_id), (ADA, signed_in.session_id));
    assert_eq!(claims.expires_on - claims.issued_on, ACCESS_LIFE);
    world.clock.advance(ACCESS_LIFE - TimeDelta::seconds(1));
    verify().await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    assert!(matches!(verify().await, Err(Unverified::Refused(Refusal::Expired))));
}

#[tokio::test]
async fn the_forge_makes_good_tokens() {
    let forge = Forge::new().await;
    let claims = forge.verify(&signed(&forge.header(), &payload())).await.unwrap();
    assert_eq!(claims.email, ADA);
}

#[tokio::test]
async fn no_algorithm_is_none() {
    let forge = Forge::new().await;
    for alg in ["none", "None", "NONE", ""] {
        let header = forge.header_with("alg", json!(alg));
        assert_eq!(forge.refusal(&sealed(&header, &payload(), |_| vec![])).await, Refusal::Header, "{alg}");
    }
    let unsigned = sealed(&forge.header(), &payload(), |_| vec![]);
    assert_eq!(forge.refusal(&unsigned).await, Refusal::Signature);
}

#[tokio::test]
async fn the_public_key_is_no_secret_of_an_hmac() {
    let forge = Forge::new().await;
    let public = BASE64_URL_SAFE_NO_PAD.decode(&forge.public).unwrap();
    for secret in [public.as_slice(), forge.public.as_bytes()] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let sign = |signed: &[u8]| hmac::sign(&key, signed).as_ref().to_vec();
        for (alg, refusal) in [("HS256", Refusal::Header), ("EdDSA", Refusal::Signature)] {
            let header = forge.header_with("alg", json!(alg));
            assert_eq!(forge.refusal(&sealed(&header, &payload(), sign)).await, refusal);
        }
    }
}

#[tokio::test]
async fn another_algorithm_is_refused_whoever_signed() {
    let forge = Forge::new().await;
    for alg in ["RS256", "ES256", "PS256", "HS256", "Ed25519", "eddsa", "EdDSA "] {
        let header = forge.header_with("alg", json!(alg));
        assert_eq!(forge.refusal(&signed(&header, &payload())).await, Refusal::Header, "{alg}");
    }
}

#[tokio::test]
async fn keys_that_are_not_ours_sign_nothing() {
    let forge = Forge::new().await;
    let eve = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let sign = |signed: &[u8]| eve.sign(signed).as_ref().to_vec();
    for kid in ["", "eve", "../../keys", &"k".repeat(500)] {
        let header = forge.header_with("kid", json!(kid));
        assert_eq!(forge.refusal(&sealed(&header, &payload(), sign)).await, Refusal::UnknownKey);
    }
    assert_eq!(forge.refusal(&sealed(&forge.header(), &payload(), sign)).await, Refusal::Signature);
    // A key that a token brings along is not looked at.
    let header = forge.header_with("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}));
    assert_eq!(forge.refusal(&sealed(&header, &payload(), sign)).await, Refusal::Signature);
    let header = forge.header_with("jku", json!("https://eve.example/jwks.json"));
    assert_eq!(forge.refusal(&sealed(&header, &payload(), sign)).await, Refusal::Signature);
}

#[tokio::test]
async fn tokens_of_others_and_for_others_are_refused() {
    let forge = Forge::new().await;
    for issuer in ["heddle/prod", "https://eve.example", ""] {
        assert_eq!(forge.refusal_of("iss", json!(issuer)).await, Refusal::Issuer);
    }
    for audience in ["heddle/prod/api", "heddle/test", ""] {
        assert_eq!(forge.refusal_of("aud", json!(audience)).await, Refusal::Audience);
    }
}

#[tokio::test]
async fn a_token_of_another_type_is_refused() {
    let forge = Forge::new().await;
    for kind in ["refresh", "id", ""] {
        assert_eq!(forge.refusal_of("type", json!(kind)).await, Refusal::Kind);
    }
    for typ in ["JWT", "logout+jwt", ""] {
        let header = forge.header_with("typ", json!(typ));
        assert_eq!(forge.refusal(&signed(&header, &payload())).await, Refusal::Header);
    }
    let critical = forge.header_with("crit", json!(["exp"]));
    assert_eq!(forge.refusal(&signed(&critical, &payload())).await, Refusal::Header);
}

#[tokio::test]
async fn a_token_of_another_time_is_refused() {
    let forge = Forge::new().await;
    for exp in [0, -1, 1_769_999_999, 1_770_000_000, i64::MIN] {
        assert_eq!(forge.refusal_of("exp", json!(exp)).await, Refusal::Expired, "{exp}");
    }
    for (name, time) in [("iat", 1_770_000_031), ("nbf", 1_770_000_031), ("nbf", i64::MAX)] {
        assert_eq!(forge.refusal_of(name, json!(time)).await, Refusal::Early, "{name} {time}");
    }
    for name in ["iat", "nbf"] {
        let token = signed(&forge.header(), &payload_with(name, json!(1_770_000_030)));
        forge.verify(&token).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_changed_is_refused() {
    let forge = Forge::new().await;
    let token = signed(&forge.header(), &payload());
    let [header, payload, signature] = <[&str; 3]>::try_from(token.split('.').collect::<Vec<_>>()).unwrap();
    let other = encode(payload_with("email", json!("eve@example.com")).to_string().as_bytes());
    assert_eq!(forge.refusal(&format!("{header}.{other}.{signature}")).await, Refusal::Signature);
    for place in 0..signature.len() - 1 {
        let letter = if signature.as_bytes()[place] == b'A' { 'B' } else { 'A' };
        let mut forged = signature.to_owned();
        forged.replace_range(place..=place, &letter.to_string());
        let token = format!("{header}.{payload}.{forged}");
        assert_eq!(forge.refusal(&token).await, Refusal::Signature, "{place}");
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let forge = Forge::new().await;
    let good = signed(&forge.header(), &payload());
    let (body, signature) = good.rsplit_once('.').unwrap();
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        body.to_owned(),
        format!("{good}="),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}.{signature}"),
        format!("{}.{}", good.replace('.', "\n."), "x".repeat(5000)),
    ] {
        assert_eq!(forge.refusal(&bad).await, Refusal::Malformed, "{bad:?}");
    }
    for (name, value) in [
        ("sub", json!("ada")),
        ("sid", json!(null)),
        ("exp", json!("1770000900")),
        ("aud", json!(["heddle/test/api"])),
    ] {
        let token = signed(&forge.header(), &payload_with(name, value));
        assert_eq!(forge.refusal(&token).await, Refusal::Malformed, "{name}");
    }
    let mut incomplete = payload();
    incomplete.as_object_mut().unwrap().shift_remove("exp");
    assert_eq!(forge.refusal(&signed(&forge.header(), &incomplete)).await, Refusal::Malformed);
}
