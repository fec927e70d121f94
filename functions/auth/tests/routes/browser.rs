//! Sessions of browsers: tokens in cookies, and what keeps other pages from using them.

use std::collections::BTreeMap;

use axum::body::Body;
use heddle_http::testing::{Answer, call, request, request_with};
use http::{HeaderValue, Request};
use serde_json::{Value, json};

use crate::world::{ADA, PASSWORD, World};

/// A browser's cookies.
#[derive(Default)]
pub(crate) struct Jar(pub(crate) BTreeMap<String, String>);

impl Jar {
    /// As a browser takes them; answers the fields.
    pub(crate) fn keep(&mut self, answer: &Answer) -> Vec<String> {
        let fields =
            answer.headers.get_all("set-cookie").iter().map(|field| field.to_str().unwrap().to_owned());
        let fields: Vec<String> = fields.collect();
        for field in &fields {
            let (name, value) = field.split(';').next().unwrap().split_once('=').unwrap();
            if field.contains("Max-Age=0") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
        fields
    }

    fn field(&self) -> HeaderValue {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ").parse().unwrap()
    }

    fn csrf(&self) -> String {
        self.0["__Host-heddle_csrf"].clone()
    }

    /// A request of any page, without what only ours knows.
    pub(crate) fn forged(&self, method: &str, path: &str, body: Option<&Value>) -> Request<Body> {
        let path = format!("/api/v1/auth/{path}");
        let mut made =
            body.map_or_else(|| request(method, &path, ""), |body| request_with(method, &path, "", body));
        made.headers_mut().insert("cookie", self.field());
        made
    }

    /// A request of our own page.
    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Request<Body> {
        let mut made = self.forged(method, path, body);
        made.headers_mut().insert("x-csrf-token", self.csrf().parse().unwrap());
        made
    }
}

async fn signed_in(world: &World) -> (Jar, Vec<String>) {
    world.signed_up(ADA).await;
    let answer = world.post("login", &json!({"email": ADA, "password": PASSWORD, "cookies": true})).await;
    assert_eq!(answer.code(), 200, "{answer:?}");
    for token in ["access_token", "refresh_token"] {
        assert!(answer.body.get(token).is_none(), "no script may read it");
    }
    let mut jar = Jar::default();
    let fields = jar.keep(&answer);
    assert_eq!(answer.body["csrf_token"], jar.csrf());
    (jar, fields)
}

#[tokio::test]
async fn the_cookies_are_bound_to_the_host_and_hidden_from_scripts() {
    let world = World::new();
    let (_, fields) = signed_in(&world).await;
    assert_eq!(fields.len(), 3);
    for field in &fields {
        assert!(field.starts_with("__Host-heddle_") && field.contains("; Path=/; Secure; "), "{field}");
        assert!(field.contains("SameSite=") && !field.contains("Domain"), "{field}");
        let is_csrf = field.starts_with("__Host-heddle_csrf=");
        assert_ne!(field.contains("HttpOnly"), is_csrf, "{field}");
    }
}

#[tokio::test]
async fn a_page_reads_by_its_cookies_and_changes_by_its_token_too() {
    let world = World::new();
    let (jar, _) = signed_in(&world).await;
    let me = call(&world.router, jar.forged("GET", "me", None)).await;
    assert_eq!((me.code(), &me.body["email"]), (200, &json!(ADA)));
    let change = json!({"first_name": "Augusta"});
    let changed = call(&world.router, jar.request("PATCH", "me", Some(&change))).await;
    assert_eq!((changed.code(), &changed.body["first_name"]), (200, &json!("Augusta")));
}

#[tokio::test]
async fn another_page_changes_nothing() {
    let world = World::new();
    let (jar, _) = signed_in(&world).await;
    let change = json!({"first_name": "Eve"});
    let list = call(&world.router, jar.forged("GET", "sessions", None)).await;
    let session = format!("sessions/{}", list.body["items"][0]["id"].as_str().unwrap());
    for (method, path, body) in [
        ("PATCH", "me", Some(&change)),
        ("POST", "logout", None),
        ("POST", "refresh", None),
        ("DELETE", session.as_str(), None),
    ] {
        let answer = call(&world.router, jar.forged(method, path, body)).await;
        assert_eq!((answer.code(), answer.problem_code().as_str()), (403, "forbidden"), "{method} {path}");
        for token in ["", "x", &jar.csrf()[1..]] {
            let mut request = jar.forged(method, path, body);
            request.headers_mut().insert("x-csrf-token", HeaderValue::try_from(token).unwrap());
            assert_eq!(call(&world.router, request).await.code(), 403, "{method} {path} {token}");
        }
    }
    let me = call(&world.router, jar.forged("GET", "me", None)).await;
    assert_eq!(me.body["first_name"], "Ada");
}

#[tokio::test]
async fn a_token_of_another_session_is_worth_nothing_although_it_is_valid() {
    let world = World::new();
    let (mut jar, _) = signed_in(&world).await;
    world.signed_up("eve@example.com").await;
    let eve = world
        .post("login", &json!({"email": "eve@example.com", "password": PASSWORD, "cookies": true}))
        .await;
    let mut hers = Jar::default();
    hers.keep(&eve);
    // As if she had got her cookie into the browser.
    jar.0.insert("__Host-heddle_csrf".to_owned(), hers.csrf());
    let change = json!({"first_name": "Eve"});
    assert_eq!(call(&world.router, jar.request("PATCH", "me", Some(&change))).await.code(), 403);
    assert_eq!(call(&world.router, jar.request("POST", "refresh", None)).await.code(), 401);
}

#[tokio::test]
async fn a_browser_renews_its_cookies_and_logs_out() {
    let world = World::new();
    let (mut jar, _) = signed_in(&world).await;
    let before = jar.0.clone();
    world.clock.advance(chrono::TimeDelta::minutes(20));
    assert_eq!(call(&world.router, jar.forged("GET", "me", None)).await.code(), 401);
    let renewed = call(&world.router, jar.request("POST", "refresh", None)).await;
    assert_eq!(renewed.code(), 200, "{renewed:?}");
    assert!(renewed.body.get("access_token").is_none());
    jar.keep(&renewed);
    assert_ne!(jar.0["__Host-heddle_refresh"], before["__Host-heddle_refresh"]);
    assert_eq!(jar.csrf(), before["__Host-heddle_csrf"], "other pages of the same browser go on");
    assert_eq!(call(&world.router, jar.forged("GET", "me", None)).await.code(), 200);

    let out = call(&world.router, jar.request("POST", "logout", None)).await;
    assert_eq!(out.code(), 204);
    jar.keep(&out);
    assert!(jar.0.is_empty());
}

#[tokio::test]
async fn a_cookie_that_comes_twice_is_not_believed() {
    let world = World::new();
    let (jar, _) = signed_in(&world).await;
    let mut request = jar.forged("GET", "me", None);
    request.headers_mut().append("cookie", "__Host-heddle_access=x".parse().unwrap());
    assert_eq!(call(&world.router, request).await.code(), 401);
}

#[tokio::test]
async fn who_sends_a_bearer_token_is_who_it_says() {
    let world = World::new();
    let (jar, _) = signed_in(&world).await;
    let eve = world.signed_up("eve@example.com").await;
    let mut request = jar.forged("PATCH", "me", Some(&json!({"bio": "x"})));
    let bearer = format!("Bearer {}", eve["access_token"].as_str().unwrap());
    request.headers_mut().insert("authorization", bearer.parse().unwrap());
    let changed = call(&world.router, request).await;
    assert_eq!((changed.code(), &changed.body["email"]), (200, &json!("eve@example.com")));
}
