//! Access tokens of other issuers, and attacks on them.

use chrono::TimeDelta;
use identity::{Claims, Refusal, Unverified};
use ring::hmac;
use serde_json::{Value, json};

use crate::{
    issuer::{CORP, Key, access, access_with, places, publish, sealed, trust},
    world::{ADA, World},
};

const OTHER: &str = "https://other.example.org/realms/a";

fn providers() -> Value {
    json!([
        {"name": "corp", "issuer": CORP, "audience": "heddle"},
        {"name": "other", "issuer": OTHER, "audience": "heddle", "domains": ["other.example.org"]},
    ])
}

/// A world in which Ada has an account, and one issuer signs with a key of each kind.
struct Trusting {
    world: World,
    keys: [(&'static str, Key); 3],
}

impl Trusting {
    async fn new() -> Self {
        let world = World::new();
        world.signed_up(ADA).await;
        trust(&world, &providers());
        let keys = [("r", Key::Rsa), ("p", Key::p256()), ("e", Key::Ed25519([9; 32]))];
        let trusting = Self { world, keys };
        trusting.publish();
        publish(&trusting.world.web, OTHER, &[Key::Ed25519([8; 32]).jwk("o")]);
        trusting
    }

    fn publish(&self) {
        let published: Vec<Value> = self.keys.iter().map(|(kid, key)| key.jwk(kid)).collect();
        publish(&self.world.web, CORP, &published);
    }

    fn token(&self, payload: &Value) -> String {
        self.keys[2].1.token("e", payload)
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
        self.refusal(&self.token(&access_with(name, value))).await
    }

    /// How often the issuer's documents were asked for since the last call.
    fn fetches(&self) -> usize {
        let asked = self.world.web.take_asked();
        let [document, _] = places(CORP);
        asked.iter().filter(|url| **url == document).count()
    }

    fn wait(&self, seconds: i64) {
        self.world.clock.advance(TimeDelta::seconds(seconds));
    }

    /// A token of this moment.
    fn fresh(&self, key: &Key, kid: &str) -> String {
        let now = app::ports::Clock::now(&*self.world.clock).timestamp();
        let mut payload = access_with("iat", json!(now));
        payload["exp"] = json!(now + 600);
        key.token(kid, &payload)
    }
}

#[tokio::test]
async fn a_token_of_a_trusted_issuer_is_that_of_the_account_with_its_address() {
    let trusting = Trusting::new().await;
    let ada = trusting.world.member(ADA).await.unwrap();
    let mut sessions = Vec::new();
    for (kid, key) in &trusting.keys {
        let claims = trusting.verify(&key.token(kid, &access())).await.unwrap();
        assert_eq!((claims.member_id, claims.email.as_str()), (ada, ADA), "{kid}");
        assert_eq!(claims.expires_on - claims.issued_on, TimeDelta::minutes(10));
        sessions.push(claims.session_id);
    }
    assert!(sessions.iter().all(|session| *session == sessions[0]), "of one token id");
    let other = trusting.verify(&trusting.token(&access_with("jti", json!("t-2")))).await.unwrap();
    assert_ne!(other.session_id, sessions[0]);
    let several = access_with("aud", json!(["someone", "heddle"]));
    assert!(trusting.verify(&trusting.token(&several)).await.is_ok());
    let shouted = access_with("email", json!("ADA@Example.com"));
    assert!(trusting.verify(&trusting.token(&shouted)).await.is_ok());
}

#[tokio::test]
async fn our_own_tokens_ask_nobody() {
    let trusting = Trusting::new().await;
    let signed_in = trusting.world.login(ADA, crate::world::PASSWORD).await.unwrap();
    assert!(trusting.verify(&signed_in.access_token).await.is_ok());
    assert_eq!(trusting.fetches(), 0);
}

#[tokio::test]
async fn no_other_algorithm_is_taken_than_that_of_the_key() {
    let trusting = Trusting::new().await;
    let public = trusting.keys[0].1.jwk("r");
    let secrets = [public["n"].as_str().unwrap().as_bytes().to_vec(), public.to_string().into_bytes()];
    for (kid, key) in &trusting.keys {
        for alg in ["none", "None", "", "HS256", "RS384", "PS256", "RS256", "ES256", "EdDSA"] {
            let header = json!({"alg": alg, "typ": "JWT", "kid": kid});
            if alg != key.algorithm() {
                let token = sealed(&header, &access(), |signed| key.sign(signed));
                assert_eq!(trusting.refusal(&token).await, Refusal::Header, "{alg} with {kid}");
            }
            assert!(matches!(
                trusting.refusal(&sealed(&header, &access(), |_| vec![])).await,
                Refusal::Header | Refusal::Signature
            ));
        }
        for secret in &secrets {
            // As who takes the public key for a shared secret would verify it.
            let mac = |signed: &[u8]| {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed).as_ref().to_vec()
            };
            let header = json!({"alg": "HS256", "typ": "JWT", "kid": kid});
            assert_eq!(trusting.refusal(&sealed(&header, &access(), mac)).await, Refusal::Header);
        }
    }
    // The name of one key, the signature of another.
    let confused = json!({"alg": "RS256", "typ": "JWT", "kid": "r"});
    let token = sealed(&confused, &access(), |signed| trusting.keys[1].1.sign(signed));
    assert_eq!(trusting.refusal(&token).await, Refusal::Signature);
}

#[tokio::test]
async fn a_header_brings_no_key_and_nothing_critical() {
    let trusting = Trusting::new().await;
    let (key, theirs) = (&trusting.keys[2].1, Key::Ed25519([66; 32]));
    let good = json!({"alg": "EdDSA", "kid": "e"});
    assert!(trusting.verify(&sealed(&good, &access(), |signed| key.sign(signed))).await.is_ok());
    let brought =
        json!({"alg": "EdDSA", "kid": "e", "jwk": theirs.jwk("e"), "jku": "https://evil.example/keys"});
    assert_eq!(
        trusting.refusal(&sealed(&brought, &access(), |signed| theirs.sign(signed))).await,
        Refusal::Signature
    );
    for header in [
        json!({"alg": "EdDSA", "kid": "e", "crit": ["exp"]}),
        json!({"alg": "EdDSA", "kid": "e", "typ": "logout+jwt"}),
    ] {
        let token = sealed(&header, &access(), |signed| key.sign(signed));
        assert_eq!(trusting.refusal(&token).await, Refusal::Header, "{header}");
    }
    let nameless = json!({"alg": "EdDSA"});
    let token = sealed(&nameless, &access(), |signed| key.sign(signed));
    assert_eq!(trusting.refusal(&token).await, Refusal::Malformed);
    assert!(trusting.world.web.take_asked().iter().all(|url| !url.contains("evil")));
}

#[tokio::test]
async fn what_a_token_says_is_judged() {
    let trusting = Trusting::new().await;
    let now = 1_770_000_000;
    for (name, value, refusal) in [
        ("iss", json!("https://id.example.com/"), Refusal::Issuer),
        ("iss", json!("https://evil.example"), Refusal::Issuer),
        ("aud", json!("someone"), Refusal::Audience),
        ("aud", json!([]), Refusal::Audience),
        ("exp", json!(now - 30), Refusal::Expired),
        ("iat", json!(now + 31), Refusal::Early),
        ("nbf", json!(now + 31), Refusal::Early),
        ("email_verified", json!(false), Refusal::Email),
        ("email_verified", Value::Null, Refusal::Email),
        ("email_verified", json!("true"), Refusal::Malformed),
        ("email", Value::Null, Refusal::Email),
        ("email", json!("nobody@example.com"), Refusal::Account),
        ("cnf", json!({"jkt": "x"}), Refusal::Kind),
        ("exp", Value::Null, Refusal::Malformed),
        ("iat", json!("now"), Refusal::Malformed),
    ] {
        assert_eq!(trusting.refusal_of(name, value.clone()).await, refusal, "{name}: {value}");
    }
    for (name, value) in [("exp", json!(now - 29)), ("iat", json!(now + 30)), ("nbf", json!(now + 30))] {
        assert!(trusting.verify(&trusting.token(&access_with(name, value))).await.is_ok(), "{name}");
    }
    let long = trusting.token(&access_with("groups", json!("x".repeat(8000))));
    assert_eq!(trusting.refusal(&long).await, Refusal::Malformed);
    let mut tampered = trusting.token(&access());
    tampered.replace_range(60..61, if &tampered[60..61] == "A" { "B" } else { "A" });
    assert!(trusting.verify(&tampered).await.is_err());
}

#[tokio::test]
async fn a_key_is_good_for_its_own_issuer() {
    let trusting = Trusting::new().await;
    let others = Key::Ed25519([8; 32]);
    assert_eq!(trusting.refusal(&others.token("o", &access())).await, Refusal::UnknownKey);
    assert_eq!(trusting.refusal(&others.token("e", &access())).await, Refusal::Signature);
    // Rightly signed by an issuer that does not speak for this domain.
    let of_other = others.token("o", &access_with("iss", json!(OTHER)));
    assert_eq!(trusting.refusal(&of_other).await, Refusal::Email);
}

#[tokio::test]
async fn who_may_not_sign_in_is_refused_at_once() {
    let trusting = Trusting::new().await;
    let token = trusting.token(&access());
    trusting.verify(&token).await.unwrap();
    let ada = trusting.world.member(ADA).await.unwrap();
    trusting.world.accounts.set_active(ada, false).unwrap();
    assert_eq!(trusting.refusal(&token).await, Refusal::Account);
}

#[tokio::test]
async fn keys_are_asked_for_once_in_five_minutes_by_whoever_needs_them() {
    let trusting = Trusting::new().await;
    let token = trusting.token(&access());
    let together = futures::future::join_all((0..20).map(|_| trusting.verify(&token))).await;
    assert!(together.iter().all(Result::is_ok));
    assert_eq!(trusting.fetches(), 1);
    trusting.wait(299);
    let fresh = trusting.fresh(&trusting.keys[2].1, "e");
    assert!(trusting.verify(&fresh).await.is_ok());
    assert_eq!(trusting.fetches(), 0);
    trusting.wait(1);
    assert!(trusting.verify(&fresh).await.is_ok());
    assert_eq!(trusting.fetches(), 1);
}

#[tokio::test]
async fn a_rotation_is_heard_of_and_unknown_names_ask_seldom() {
    let trusting = Trusting::new().await;
    trusting.verify(&trusting.token(&access())).await.unwrap();
    assert_eq!(trusting.fetches(), 1);
    let next = Key::Ed25519([10; 32]);
    let unknown = next.token("next", &access());
    for _ in 0..10 {
        assert_eq!(trusting.refusal(&unknown).await, Refusal::UnknownKey);
    }
    assert_eq!(trusting.fetches(), 0, "they were read a moment ago");
    publish(&trusting.world.web, CORP, &[next.jwk("next")]);
    trusting.wait(30);
    assert!(trusting.verify(&unknown).await.is_ok());
    assert_eq!(trusting.fetches(), 1);
    let old = trusting.token(&access());
    assert_eq!(trusting.refusal(&old).await, Refusal::UnknownKey, "it was withdrawn");
}

#[tokio::test]
async fn an_issuer_that_fails_is_left_alone_longer_and_longer_while_its_keys_stay() {
    let trusting = Trusting::new().await;
    let [document, _] = places(CORP);
    trusting.verify(&trusting.token(&access())).await.unwrap();
    assert_eq!(trusting.fetches(), 1);
    trusting.world.web.withdraw(&document);
    trusting.wait(300);
    let fresh = || trusting.fresh(&trusting.keys[2].1, "e");
    assert!(trusting.verify(&fresh()).await.is_ok(), "by the keys that are known");
    assert_eq!(trusting.fetches(), 1);
    for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        trusting.wait(pause - 1);
        assert!(trusting.verify(&fresh()).await.is_ok());
        assert_eq!(trusting.fetches(), 0, "before {pause} s");
        trusting.wait(1);
        assert!(trusting.verify(&fresh()).await.is_ok());
        assert_eq!(trusting.fetches(), 1, "after {pause} s");
    }
    trusting.publish();
    trusting.wait(300);
    assert!(trusting.verify(&fresh()).await.is_ok());
    assert_eq!(trusting.fetches(), 1);
    trusting.wait(299);
    assert!(trusting.verify(&fresh()).await.is_ok());
    assert_eq!(trusting.fetches(), 0, "it answers, and all is as before");
}

#[tokio::test]
async fn without_keys_nobody_is_refused_but_told_to_come_again() {
    let trusting = Trusting::new().await;
    let [document, keys] = places(CORP);
    let token = trusting.token(&access());
    let endpoints = |issuer: &str| json!({"issuer": issuer, "jwks_uri": keys});
    trusting.world.web.withdraw(&document);
    for (published, wait) in [
        (None, 1),
        (Some(endpoints("https://evil.example")), 2),
        (Some(endpoints("https://id.example.com/")), 4),
        (Some(json!({"issuer": CORP})), 8),
    ] {
        if let Some(published) = published {
            trusting.world.web.publish(&document, published);
        }
        for _ in 0..3 {
            assert!(matches!(trusting.verify(&token).await, Err(Unverified::Store(_))));
        }
        assert_eq!(trusting.fetches(), 1);
        trusting.wait(wait);
    }
    // Keys may be anywhere, as long as the issuer says so.
    let elsewhere = "https://keys.example.net/corp";
    trusting.world.web.publish(elsewhere, json!({"keys": [trusting.keys[2].1.jwk("e")]}));
    trusting.world.web.publish(&document, json!({"issuer": CORP, "jwks_uri": elsewhere}));
    trusting.wait(16);
    assert!(trusting.verify(&trusting.fresh(&trusting.keys[2].1, "e")).await.is_ok());
}

#[tokio::test]
async fn who_is_trusted_changes_within_five_minutes_and_a_slip_opens_nothing() {
    let trusting = Trusting::new().await;
    let fresh = || trusting.fresh(&trusting.keys[2].1, "e");
    trusting.verify(&fresh()).await.unwrap();
    trusting.fetches();

    let mut slip = providers();
    slip[0]["audience"] = json!("");
    slip[1]["issuer"] = json!("https://evil.example");
    trust(&trusting.world, &slip);
    trusting.wait(299);
    assert!(trusting.world.identity.issuers().check().await.is_ok());
    trusting.wait(1);
    assert!(trusting.verify(&fresh()).await.is_ok(), "what was known stays");
    let mistakes = trusting.world.identity.issuers().check().await.unwrap_err().to_string();
    assert!(mistakes.contains("/0: `audience` is empty"), "{mistakes}");
    let starting =
        Trusting { world: World::new(), keys: [("a", Key::Rsa), ("b", Key::Rsa), ("e", Key::Rsa)] };
    trust(&starting.world, &slip);
    starting.publish();
    assert_eq!(starting.refusal(&fresh()).await, Refusal::Issuer, "who starts with it trusts nobody");

    trust(&trusting.world, &json!([]));
    trusting.wait(300);
    assert_eq!(trusting.refusal(&fresh()).await, Refusal::Issuer);
    assert!(trusting.world.identity.issuers().check().await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_is_only_signed_in_through_issues_no_bearer_tokens() {
    let trusting = Trusting::new().await;
    let sign_in = json!({
        "client_id": "heddle", "redirect_uri": "https://heddle.example.com/api/v1/auth/oidc/corp/callback",
    });
    trust(&trusting.world, &json!([{"name": "corp", "issuer": CORP, "sign_in": sign_in}]));
    assert_eq!(trusting.refusal(&trusting.token(&access())).await, Refusal::Issuer);
}
