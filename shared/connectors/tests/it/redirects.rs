//! Redirects, each hop checked like the first.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::any,
};
use domain::ErrorClass;
use serde_json::{Value, json};

use crate::support::{Server, assert_refused, connectors, failure, output, run};

fn redirect(status: u16, location: &str) -> impl IntoResponse + use<> {
    (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, location.to_owned())])
}

/// A server that answers `/` with a redirect and everything else with what it was asked.
async fn redirecting(status: u16, location: &str) -> Server {
    let location = location.to_owned();
    Server::start(Router::new().route("/", any(move || async move { redirect(status, &location) }))).await
}

#[tokio::test]
async fn a_redirect_is_followed_and_noted() {
    let server = redirecting(302, "/there?x=1").await;
    let executed = run(&server.connectors(), "get_api", json!({ "url": server.url("/") })).await;
    let output = executed.outcome.unwrap();
    assert_eq!(output["body"]["path"], "/there");
    assert_eq!(output["body"]["query"], "x=1");
    assert_eq!(output["body"]["headers"]["referer"], Value::Null);
    let (address, note) = (server.address, &executed.notes[0]);
    assert!(note.starts_with(&format!("GET {address}: 200 from {address} after 1 redirect in ")), "{note}");
}

#[tokio::test]
async fn method_and_body_follow_rfc_9110() {
    for (status, method, body) in
        [(301, "GET", ""), (303, "GET", ""), (307, "POST", "[1]"), (308, "POST", "[1]")]
    {
        let server = redirecting(status, "/there").await;
        let config = json!({ "url": server.url("/"), "body": [1] });
        let output = output(&server.connectors(), "post_api", config).await;
        assert_eq!(output["body"]["method"], method, "{status}");
        assert_eq!(output["body"]["body"], body, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_to_where_a_request_may_not_go_is_refused_with_the_rule() {
    let inside = Server::start(Router::new()).await;
    for (location, rule) in [
        ("http://169.254.169.254/", "link_local"),
        ("http://[::ffff:127.0.0.1]/", "ipv4_mapped"),
        ("http://2130706433/", "loopback"),
        ("http://localhost:1/", "loopback"),
        (&inside.url("/"), "loopback"),
        ("file:///etc/passwd", "scheme"),
        ("http://me:pw@example.com/", "userinfo"),
    ] {
        let server = redirecting(302, location).await;
        let failure = failure(&server.connectors(), "get_api", json!({ "url": server.url("/") })).await;
        assert_refused(&failure, rule);
    }
}

#[tokio::test]
async fn headers_of_the_author_stay_with_the_origin_they_were_meant_for() {
    let other = Server::start(Router::new()).await;
    let server = redirecting(307, &other.url("/there")).await;
    let connectors = connectors(vec![server.rule(), other.rule()]);
    let auths = [
        json!({ "type": "bearer", "token": "s3cret" }),
        json!({ "type": "basic", "username": "u", "password": "s3cret" }),
        json!({ "type": "header", "name": "X-Own-Auth", "value": "s3cret" }),
    ];
    for auth in auths {
        let headers = json!({ "Cookie": "s3cret", "X-Api-Key": "s3cret", "Accept": "text/plain" });
        let config = json!({ "url": server.url("/"), "auth": auth, "headers": headers, "body": 1 });
        let seen = output(&connectors, "post_api", config).await["body"].take();
        assert_eq!(seen["headers"]["host"], other.address.to_string());
        assert_eq!(seen["headers"]["accept"], "text/plain");
        for kept in ["authorization", "cookie", "x-api-key", "x-own-auth"] {
            assert_eq!(seen["headers"][kept], Value::Null, "{kept}");
        }
    }
}

#[tokio::test]
async fn a_circle_ends_after_five_redirects() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let circle = any(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async { redirect(302, "/") }
    });
    let server = Server::start(Router::new().route("/", circle)).await;
    let failure = failure(&server.connectors(), "get_api", json!({ "url": server.url("/") })).await;
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Permanent, "too_many_redirects"));
    assert_eq!(asked.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_permanent() {
    let server = redirecting(302, "http://[").await;
    let failure = failure(&server.connectors(), "get_api", json!({ "url": server.url("/") })).await;
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Permanent, "bad_redirect"));
}
