//! Signing in through another issuer, and attacks on it.

use std::collections::HashMap;

use chrono::TimeDelta;
use identity::{Callback, Client, Departure, ReturnTo, SignInError, SignedIn};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use url::Url;

use crate::{
    issuer::{CORP, Key, encode, publish, trust},
    world::{ADA, World, is_refused},
};

const OTHER: &str = "https://other.example.org";
const KEY: Key = Key::Ed25519([9; 32]);
const OTHERS: Key = Key::Ed25519([8; 32]);

fn provider(name: &str, issuer: &str) -> Value {
    json!({
        "name": name, "issuer": issuer, "audience": "heddle",
        "sign_in": {
            "client_id": format!("web@{name}"), "client_secret": "s3cret",
            "redirect_uri": format!("https://heddle.example.com/api/v1/auth/oidc/{name}/callback"),
        },
    })
}

/// A browser that was sent away.
struct Away {
    query: HashMap<String, String>,
    cookie: String,
}

impl Away {
    fn new(departure: &Departure) -> Self {
        let url = Url::parse(&departure.location).unwrap();
        let (cookie, rest) = departure.cookie.split_once(';').unwrap();
        assert_eq!(rest, " Path=/; Secure; Max-Age=600; SameSite=Lax; HttpOnly");
        let value = cookie.strip_prefix("__Host-heddle_oidc=").unwrap();
        Self { query: url.query_pairs().into_owned().collect(), cookie: value.to_owned() }
    }

    fn callback(&self) -> Callback<'_> {
        Callback {
            cookie: Some(&self.cookie),
            state: Some(&self.query["state"]),
            code: Some("c0de"),
            issuer: None,
        }
    }

    /// What the ID token of this sign-in says.
    fn id(&self) -> Value {
        json!({
            "iss": CORP, "aud": "web@corp", "sub": "corp|7", "iat": 1_770_000_000, "exp": 1_770_000_600,
            "nonce": self.query["nonce"], "email": ADA, "email_verified": true, "given_name": "Ada", "family_name": "L.",
        })
    }

    fn id_with(&self, name: &str, value: Value) -> Value {
        let mut payload = self.id();
        payload[name] = value;
        payload
    }
}

struct Gate(World);

impl Gate {
    fn new() -> Self {
        let world = World::new();
        trust(&world, &json!([provider("corp", CORP), provider("other", OTHER)]));
        publish(&world.web, CORP, &[KEY.jwk("e")]);
        publish(&world.web, OTHER, &[OTHERS.jwk("e")]);
        Self(world)
    }

    async fn depart(&self) -> Away {
        let return_to = ReturnTo::parse("/runs?status=failed").unwrap();
        let departure = self.0.identity.depart("corp", &return_to, &Client::default()).await.unwrap();
        Away::new(&departure)
    }

    async fn arrive(&self, callback: Callback<'_>) -> Result<(SignedIn, ReturnTo), SignInError> {
        self.0.identity.arrive("corp", callback, &Client::default()).await
    }

    /// Decides what the issuer gives for the next code.
    fn gives(&self, token: &str) {
        self.0.web.answer(200, json!({"access_token": "x", "token_type": "Bearer", "id_token": token}));
    }

    /// Comes back with an ID token of this content.
    async fn identified(&self, away: &Away, payload: &Value) -> Result<(SignedIn, ReturnTo), SignInError> {
        self.gives(&KEY.token("e", payload));
        self.arrive(away.callback()).await
    }
}

#[tokio::test]
async fn who_comes_back_is_signed_in_where_they_wanted_to_go() {
    let gate = Gate::new();
    let before = gate.0.signed_up(ADA).await;
    let away = gate.depart().await;
    let asked = |name: &str| away.query[name].as_str();
    assert_eq!((asked("response_type"), asked("client_id")), ("code", "web@corp"));
    assert_eq!((asked("scope"), asked("code_challenge_method")), ("openid email profile", "S256"));

    let (signed_in, return_to) = gate.identified(&away, &away.id()).await.unwrap();
    assert_eq!(return_to.as_str(), "/runs?status=failed");
    assert_eq!(signed_in.account.member_id, before.account.member_id);
    assert_ne!(signed_in.session_id, before.session_id);
    assert!(gate.0.identity.verifier().verify(&signed_in.access_token).await.is_ok());
    assert!(gate.0.refresh(&signed_in.refresh_token).await.is_ok());

    let [form] = &gate.0.web.take_forms()[..] else { panic!("one exchange") };
    assert_eq!(form.url, format!("{CORP}/token"));
    assert_eq!(form.basic, Some(("web@corp".to_owned(), "s3cret".to_owned())));
    let verifier = &form.fields["code_verifier"];
    assert_eq!(encode(digest(&SHA256, verifier.as_bytes()).as_ref()), away.query["code_challenge"]);
    assert_eq!(
        (form.fields["code"].as_str(), form.fields["grant_type"].as_str()),
        ("c0de", "authorization_code")
    );
    assert_eq!(form.fields["redirect_uri"], away.query["redirect_uri"]);
    assert!(!form.fields.contains_key("client_secret"));
}

#[tokio::test]
async fn an_account_is_opened_only_by_an_issuer_that_may() {
    let gate = Gate::new();
    let away = gate.depart().await;
    assert!(is_refused(&gate.identified(&away, &away.id()).await));
    assert_eq!(gate.0.member(ADA).await, None);

    let mut providers = json!([provider("corp", CORP)]);
    providers[0]["sign_in"]["allows_sign_up"] = json!(true);
    providers[0]["domains"] = json!(["example.com"]);
    trust(&gate.0, &providers);
    gate.0.clock.advance(TimeDelta::minutes(5));
    let away = gate.depart().await;
    let (signed_in, _) = gate.identified(&away, &away.id()).await.unwrap();
    let account = &signed_in.account;
    assert_eq!(
        (account.email.as_str(), account.first_name.as_str(), account.last_name.as_str()),
        (ADA, "Ada", "L.")
    );
    assert!(account.email_verified_at.is_some());

    let away = gate.depart().await;
    assert!(is_refused(&gate.identified(&away, &away.id_with("email", json!("eve@evil.example"))).await));
    assert_eq!(gate.0.member("eve@evil.example").await, None);
}

#[tokio::test]
async fn a_callback_needs_its_own_browser() {
    let gate = Gate::new();
    gate.0.signed_up(ADA).await;
    let (ours, theirs) = (gate.depart().await, gate.depart().await);
    let good = ours.callback();
    for callback in [
        // As who is sent a link that somebody else's sign-in would end with.
        Callback { cookie: None, ..good },
        Callback { cookie: Some(&theirs.cookie), ..good },
        Callback { state: Some(&theirs.query["state"]), ..good },
        Callback { state: Some(&ours.query["nonce"]), ..good },
        Callback { state: Some(""), ..good },
        Callback { state: None, ..good },
        Callback { issuer: Some(OTHER), ..good },
        Callback::default(),
    ] {
        assert!(is_refused(&gate.arrive(callback).await));
    }
    assert!(gate.0.web.take_forms().is_empty(), "no code was shown to anybody");
    gate.gives(&KEY.token("e", &ours.id()));
    assert!(gate.arrive(Callback { issuer: Some(CORP), ..good }).await.is_ok());
}

#[tokio::test]
async fn a_callback_is_good_once_and_for_ten_minutes() {
    let gate = Gate::new();
    gate.0.signed_up(ADA).await;
    let away = gate.depart().await;
    gate.identified(&away, &away.id()).await.unwrap();
    assert!(is_refused(&gate.identified(&away, &away.id()).await));
    assert_eq!(gate.0.web.take_forms().len(), 1);

    let denied = gate.depart().await;
    assert!(is_refused(&gate.arrive(Callback { code: None, ..denied.callback() }).await));
    assert!(is_refused(&gate.arrive(denied.callback()).await), "the issuer refused this one");

    let late = gate.depart().await;
    gate.0.clock.advance(TimeDelta::minutes(10));
    assert!(is_refused(&gate.arrive(late.callback()).await));
    assert!(gate.0.web.take_forms().is_empty());
}

#[tokio::test]
async fn an_id_token_is_of_this_sign_in_and_this_client() {
    let now = 1_770_000_000;
    for (name, value) in [
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("aud", json!("heddle")),
        ("aud", json!(["web@corp", "someone"])),
        ("azp", json!("someone")),
        ("iss", json!(OTHER)),
        ("exp", json!(now - 30)),
        ("iat", json!(now + 31)),
        ("email_verified", json!(false)),
        ("email", json!("nobody@example.com")),
    ] {
        let gate = Gate::new();
        gate.0.signed_up(ADA).await;
        let away = gate.depart().await;
        let answer = gate.identified(&away, &away.id_with(name, value.clone())).await;
        assert!(is_refused(&answer), "{name}: {value}");
    }
    let gate = Gate::new();
    gate.0.signed_up(ADA).await;
    let away = gate.depart().await;
    let mut payload = away.id_with("aud", json!(["web@corp", "someone"]));
    payload["azp"] = json!("web@corp");
    assert!(gate.identified(&away, &payload).await.is_ok());
    for token in [OTHERS.token("e", &away.id()), "x.y.z".to_owned()] {
        let away = gate.depart().await;
        gate.gives(&token);
        assert!(is_refused(&gate.arrive(away.callback()).await));
    }
}

#[tokio::test]
async fn two_issuers_are_not_mixed_up() {
    let gate = Gate::new();
    gate.0.signed_up(ADA).await;
    let away = gate.depart().await;
    let identity = &gate.0.identity;
    // The browser of one comes back to the callback of the other, which would show its code to the other's server.
    let mixed = identity.arrive("other", away.callback(), &Client::default()).await;
    assert!(is_refused(&mixed));
    assert!(gate.0.web.take_forms().is_empty());
    // What the other issuer signs does not count here, even if it gives itself out for this one.
    gate.gives(&OTHERS.token("e", &away.id()));
    assert!(is_refused(&gate.arrive(away.callback()).await));
}

#[tokio::test]
async fn an_issuer_that_is_not_there_is_no_issuer_and_one_that_is_silent_may_speak_again() {
    let gate = Gate::new();
    let (identity, to) = (&gate.0.identity, ReturnTo::default());
    let depart = async |name: &str| identity.depart(name, &to, &Client::default()).await;
    assert!(matches!(depart("nobody").await, Err(SignInError::Store(app::ports::StoreError::NotFound))));
    gate.0.web.withdraw(&format!("{OTHER}/.well-known/openid-configuration"));
    assert!(matches!(
        depart("other").await,
        Err(SignInError::Store(app::ports::StoreError::Unavailable { .. }))
    ));
    let away = gate.depart().await;
    assert!(matches!(gate.arrive(away.callback()).await, Err(SignInError::Store(_))));
    let away = gate.depart().await;
    gate.0.web.answer(400, json!({"error": "invalid_grant", "error_description": "hunter2"}));
    assert!(is_refused(&gate.arrive(away.callback()).await));
}

#[tokio::test]
async fn a_page_of_the_issuer_is_no_script_and_not_in_clear() {
    let gate = Gate::new();
    for page in ["http://id.example.com/authorize", "javascript:alert(1)", "data:text/html,x", "nowhere"] {
        let document = json!({
            "issuer": CORP, "jwks_uri": format!("{CORP}/keys"), "authorization_endpoint": page,
            "token_endpoint": format!("{CORP}/token"),
        });
        gate.0.web.publish(&format!("{CORP}/.well-known/openid-configuration"), document);
        gate.0.clock.advance(TimeDelta::minutes(5));
        let departure = gate.0.identity.depart("corp", &ReturnTo::default(), &Client::default()).await;
        assert!(matches!(departure, Err(SignInError::Store(_))), "{page}");
    }
}

#[tokio::test]
async fn a_secret_goes_into_the_form_where_the_issuer_wants_it_there() {
    let gate = Gate::new();
    gate.0.signed_up(ADA).await;
    let document = json!({
        "issuer": CORP, "jwks_uri": format!("{CORP}/keys"), "authorization_endpoint": format!("{CORP}/authorize"),
        "token_endpoint": format!("{CORP}/token"), "token_endpoint_auth_methods_supported": ["client_secret_post"],
    });
    gate.0.web.publish(&format!("{CORP}/.well-known/openid-configuration"), document);
    let away = gate.depart().await;
    gate.identified(&away, &away.id()).await.unwrap();
    let [form] = &gate.0.web.take_forms()[..] else { panic!("one exchange") };
    assert_eq!((form.fields["client_secret"].as_str(), &form.basic), ("s3cret", &None));
}

#[tokio::test]
async fn tries_are_counted_by_place() {
    let gate = Gate::new();
    for _ in 0..60 {
        assert!(is_refused(&gate.arrive(Callback::default()).await));
    }
    assert!(matches!(gate.arrive(Callback::default()).await, Err(SignInError::TooMany { .. })));
    let departure = gate.0.identity.depart("corp", &ReturnTo::default(), &Client::default()).await;
    assert!(matches!(departure, Err(SignInError::TooMany { .. })));
}
