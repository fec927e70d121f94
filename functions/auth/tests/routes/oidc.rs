//! Signing in through an issuer that really listens.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use app::{fakes::ManualClock, ports::Clock as _};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use connectors::{
    EgressWeb,
    egress::{AllowRule, Egress, EgressPolicy},
};
use heddle_http::testing::{Answer, call};
use ring::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use url::{Url, form_urlencoded};

use crate::{
    browser::Jar,
    world::{ADA, World, pointers, with_token},
};

const CODE: &str = "c0de";
const SECRET: &str = "s3cret";

/// An issuer with a page on which Ada always says yes.
#[derive(Clone)]
struct Issuer {
    address: SocketAddr,
    clock: Arc<ManualClock>,
    /// What the browser was sent with.
    asked: Arc<Mutex<HashMap<String, String>>>,
}

impl Issuer {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What somebody decides on the issuer's page: the address that they are sent back to.
    fn visit(&self, location: &str) -> String {
        let page = Url::parse(location).unwrap();
        assert!(location.starts_with(&format!("{}/authorize?", self.url())), "{location}");
        let query: HashMap<String, String> = page.query_pairs().into_owned().collect();
        let state = query["state"].clone();
        *self.asked.lock().unwrap() = query;
        format!("oidc/corp/callback?code={CODE}&state={state}&session_state=whatever")
    }

    fn token(&self, claims: &Value) -> String {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
        let now = self.clock.now().timestamp();
        let mut payload = json!({
            "iss": self.url(), "sub": "corp|7", "iat": now, "exp": now + 300, "email": ADA, "email_verified": true,
            "given_name": "Ada",
        });
        payload.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let header = json!({"alg": "EdDSA", "kid": "k1", "typ": "JWT"});
        let signed =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.to_string().as_bytes()));
        format!("{signed}.{}", encode(pair.sign(signed.as_bytes()).as_ref()))
    }
}

async fn document(State(issuer): State<Issuer>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", issuer.url());
    Json(json!({
        "issuer": issuer.url(), "jwks_uri": at("/keys"), "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"), "response_types_supported": ["code"],
    }))
}

async fn keys() -> Json<Value> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let x = encode(pair.public_key().as_ref());
    Json(json!({"keys": [{"kid": "k1", "kty": "OKP", "crv": "Ed25519", "use": "sig", "x": x}]}))
}

/// Exchanges the code as RFC 6749 and RFC 7636 have it.
async fn token(State(issuer): State<Issuer>, headers: HeaderMap, body: String) -> (StatusCode, Json<Value>) {
    let form: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let asked = issuer.asked.lock().unwrap().clone();
    let basic = base64::prelude::BASE64_STANDARD.encode(format!("web:{SECRET}"));
    let challenge = encode(digest(&SHA256, form["code_verifier"].as_bytes()).as_ref());
    let is_right = headers["authorization"] == format!("Basic {basic}")
        && form["grant_type"] == "authorization_code"
        && form["code"] == CODE
        && form["redirect_uri"] == asked["redirect_uri"]
        && challenge == asked["code_challenge"];
    if !is_right {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})));
    }
    let id = issuer.token(&json!({"aud": "web", "nonce": asked["nonce"]}));
    (StatusCode::OK, Json(json!({"access_token": "x", "token_type": "Bearer", "id_token": id})))
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

struct Stage {
    world: World,
    issuer: Issuer,
    task: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stage {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let rule = AllowRule::Net { net: address.ip().into(), port: Some(address.port()) };
        let world = World::beside(Arc::new(EgressWeb::new(Egress::new(EgressPolicy { allow: vec![rule] }))));
        let issuer = Issuer { address, clock: world.clock.clone(), asked: Arc::default() };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(issuer.clone());
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        world.trust(&json!([{
            "name": "corp", "issuer": issuer.url(), "audience": "heddle",
            "sign_in": {
                "client_id": "web", "client_secret": SECRET, "allows_sign_up": true,
                "redirect_uri": "https://heddle.example.com/api/v1/auth/oidc/corp/callback",
            },
        }]));
        Self { world, issuer, task }
    }

    /// A browser's visit of a path below `auth`.
    async fn visit(&self, jar: &mut Jar, path: &str) -> Answer {
        let answer = call(&self.world.router, jar.forged("GET", path, None)).await;
        jar.keep(&answer);
        answer
    }
}

#[tokio::test]
async fn a_browser_goes_there_and_comes_back_signed_in() {
    let (stage, mut jar) = (Stage::new().await, Jar::default());
    let away = stage.visit(&mut jar, "oidc/corp/start?return_to=%2Fruns%3Fstatus%3Dfailed").await;
    assert_eq!(away.code(), 302, "{away:?}");
    assert_eq!(away.header("cache-control"), "no-store");
    assert_eq!(jar.0.keys().collect::<Vec<_>>(), ["__Host-heddle_oidc"]);
    let callback = stage.issuer.visit(away.header("location"));

    let mut another = Jar::default();
    let stolen = stage.visit(&mut another, &callback).await;
    assert_eq!((stolen.code(), another.0.len()), (401, 0), "another browser has no business with it");

    let before = jar.0.clone();
    let back = stage.visit(&mut jar, &callback).await;
    assert_eq!((back.code(), back.header("location")), (302, "/runs?status=failed"), "{back:?}");
    assert!(!jar.0.contains_key("__Host-heddle_oidc"));
    let me = stage.visit(&mut jar, "me").await;
    assert_eq!((me.code(), &me.body["email"], &me.body["first_name"]), (200, &json!(ADA), &json!("Ada")));

    let mut again = Jar(before);
    assert_eq!(stage.visit(&mut again, &callback).await.code(), 401, "a callback is good once");
}

#[tokio::test]
async fn what_the_issuer_says_of_a_failure_is_not_repeated() {
    let (stage, mut jar) = (Stage::new().await, Jar::default());
    let away = stage.visit(&mut jar, "oidc/corp/start").await;
    let callback = stage.issuer.visit(away.header("location"));
    let denied = callback.replace(&format!("code={CODE}"), "error=access_denied&error_description=hunter2");
    let answer = stage.visit(&mut jar, &denied).await;
    assert_eq!((answer.code(), answer.problem_code().as_str()), (401, "unauthorized"));
    assert!(!format!("{answer:?}").contains("hunter2"));
    let away = stage.visit(&mut jar, "oidc/corp/start").await;
    let wrong = stage.issuer.visit(away.header("location")).replace(CODE, "another");
    assert_eq!(stage.visit(&mut jar, &wrong).await.code(), 401);
}

#[tokio::test]
async fn nobody_is_sent_to_another_host() {
    let (stage, mut jar) = (Stage::new().await, Jar::default());
    for bad in
        ["https://evil.example", "//evil.example", "/%5Cevil.example", "%2F%09%2Fevil.example", "x", ""]
    {
        let answer = stage.visit(&mut jar, &format!("oidc/corp/start?return_to={bad}")).await;
        assert_eq!((answer.code(), pointers(&answer)), (422, vec!["/query/return_to".to_owned()]), "{bad}");
    }
    for path in ["oidc/nobody/start", "oidc/nobody/callback", "oidc/a%2Fb/start"] {
        assert_eq!(stage.visit(&mut jar, path).await.code(), 404, "{path}");
    }
    assert!(jar.0.is_empty());
}

#[tokio::test]
async fn a_bearer_token_of_the_issuer_is_taken_and_an_id_token_is_not() {
    let stage = Stage::new().await;
    stage.world.signed_up(ADA).await;
    let me = async |claims: Value| {
        let token = stage.issuer.token(&claims);
        call(&stage.world.router, with_token("GET", "me", &token, None)).await
    };
    let known = me(json!({"aud": "heddle"})).await;
    assert_eq!((known.code(), &known.body["email"]), (200, &json!(ADA)));
    let id = me(json!({"aud": "web", "nonce": "n"})).await;
    assert_eq!((id.code(), id.problem_code().as_str()), (401, "unauthorized"));
    stage.task.abort();
    stage.world.clock.advance(TimeDelta::minutes(5));
    assert_eq!(me(json!({"aud": "heddle"})).await.code(), 200, "by the keys that are known");
}

#[tokio::test]
async fn a_process_whose_issuers_are_configured_wrongly_is_not_ready() {
    let world = World::new();
    world.trust(&json!([{"name": "corp", "issuer": "nowhere"}]));
    let ready = call(&world.router, heddle_http::testing::request("GET", "/health/ready", "")).await;
    assert_eq!(ready.code(), 503);
    let ready = call(&World::new().router, heddle_http::testing::request("GET", "/health/ready", "")).await;
    assert_eq!(ready.code(), 200);
}
