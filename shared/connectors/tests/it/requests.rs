//! What reaches the other side.

use std::sync::atomic::{AtomicUsize, Ordering};

use app::ports::Connectors as _;
use axum::{Router, http::HeaderMap, http::StatusCode, routing::post};
use domain::ErrorClass;
use serde_json::{Value, json};

use crate::support::{AMPLE, Server, call, failure, output, run};

#[tokio::test]
async fn a_get_sends_query_headers_and_who_it_is() {
    let server = Server::start(Router::new()).await;
    let config = json!({
        "url": server.url("/orders?page=1"),
        "query": { "tag": ["a b", "c&d"], "limit": 5, "open": true, "none": null },
        "headers": { "X-Trace": "t1", "X-Count": 3, "X-None": null },
    });
    let executed = run(&server.connectors(), "get_api", config).await;
    let output = executed.outcome.unwrap();
    assert_eq!(output["status"], 200);
    assert_eq!(output["headers"]["content-type"], "application/json");
    let seen = &output["body"];
    assert_eq!(seen["method"], "GET");
    assert_eq!(seen["path"], "/orders");
    assert_eq!(seen["query"], "page=1&tag=a+b&tag=c%26d&limit=5&open=true");
    assert_eq!(seen["headers"]["x-trace"], "t1");
    assert_eq!(seen["headers"]["x-count"], "3");
    assert_eq!(seen["headers"]["accept-encoding"], "identity");
    assert_eq!(seen["headers"]["user-agent"], concat!("Heddle/", env!("CARGO_PKG_VERSION")));
    for absent in ["idempotency-key", "referer", "cookie", "x-none", "content-length"] {
        assert_eq!(seen["headers"][absent], Value::Null, "{absent}");
    }
    let note = &executed.notes[0];
    assert!(note.starts_with(&format!("GET {}: 200 in ", server.address)), "{note}");
    assert!(note.ends_with(" B"), "{note}");
}

#[tokio::test]
async fn each_kind_of_auth_becomes_its_header() {
    let server = Server::start(Router::new()).await;
    let connectors = server.connectors();
    for (auth, name, value) in [
        (json!({ "type": "bearer", "token": "t0ken" }), "authorization", "Bearer t0ken"),
        (
            json!({ "type": "basic", "username": "Aladdin", "password": "open sesame" }),
            "authorization",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
        (json!({ "type": "header", "name": "X-Api-Key", "value": "k" }), "x-api-key", "k"),
    ] {
        let output = output(&connectors, "get_api", json!({ "url": server.url("/"), "auth": auth })).await;
        assert_eq!(output["body"]["headers"][name], value);
    }
}

#[tokio::test]
async fn a_post_sends_its_body_in_the_form_that_the_content_type_asks_for() {
    let server = Server::start(Router::new()).await;
    let connectors = server.connectors();
    let form = "application/x-www-form-urlencoded";
    for (body, content_type, sent, sent_type) in [
        (json!({ "a": [1, "x"] }), None, r#"{"a":[1,"x"]}"#, Some("application/json")),
        (json!([1]), Some("application/vnd.api+json"), "[1]", Some("application/vnd.api+json")),
        (json!("hi"), None, "\"hi\"", Some("application/json")),
        (json!("<a/>"), Some("application/xml"), "<a/>", Some("application/xml")),
        (json!("{\"a\":1}"), Some("application/json"), "{\"a\":1}", Some("application/json")),
        (json!({ "a": "b c", "d": [1, 2] }), Some(form), "a=b+c&d=1&d=2", Some(form)),
        (json!(false), None, "false", Some("application/json")),
        (Value::Null, None, "", None),
    ] {
        let headers = json!({ "Content-Type": content_type });
        let config = json!({ "url": server.url("/"), "body": body, "headers": headers });
        let seen = output(&connectors, "post_api", config).await["body"].take();
        assert_eq!(seen["method"], "POST");
        assert_eq!(seen["body"], sent);
        assert_eq!(seen["headers"]["content-type"], json!(sent_type));
        assert_eq!(seen["headers"]["content-length"], sent.len().to_string());
    }
}

#[tokio::test]
async fn a_post_may_put_patch_and_delete() {
    let server = Server::start(Router::new()).await;
    let connectors = server.connectors();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let config = json!({ "url": server.url("/"), "method": method });
        let seen = output(&connectors, "post_api", config).await;
        assert_eq!(seen["body"]["method"], method);
        assert_eq!(seen["body"]["headers"]["idempotency-key"], call("", Value::Null).idempotency_key);
    }
}

#[tokio::test]
async fn the_idempotency_key_is_the_same_on_every_attempt() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let flaky = |headers: HeaderMap| async move {
        let status = match CALLS.fetch_add(1, Ordering::SeqCst) {
            0 => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::OK,
        };
        (status, [("x-key", headers["idempotency-key"].clone())])
    };
    let server = Server::start(Router::new().route("/flaky", post(flaky))).await;
    let connectors = server.connectors();
    let mut call = call("post_api", json!({ "url": server.url("/flaky"), "success": ["2xx"] }));
    let first = connectors.execute(&call, AMPLE).await;
    assert_eq!(first.outcome.unwrap_err().class, ErrorClass::Transient);
    call.attempt = 2;
    let second = connectors.execute(&call, AMPLE).await;
    assert_eq!(second.outcome.unwrap()["headers"]["x-key"], call.idempotency_key);
    assert_eq!(CALLS.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_connection_serves_several_calls() {
    let server = Server::start(Router::new()).await;
    let connectors = server.connectors();
    let first = output(&connectors, "get_api", json!({ "url": server.url("/1") })).await;
    let second = output(&connectors, "get_api", json!({ "url": server.url("/2") })).await;
    assert_eq!(first["body"]["peer"], second["body"]["peer"]);
}

#[tokio::test]
async fn wrong_metadata_is_a_validation_failure_that_names_the_field_and_not_the_value() {
    let server = Server::start(Router::new()).await;
    let connectors = server.connectors();
    let url = server.url("/");
    for (config, field) in [
        (json!("s3cret"), "metadata"),
        (json!({}), "url"),
        (json!({ "url": ["s3cret"] }), "url"),
        (json!({ "url": "/s3cret" }), "url"),
        (json!({ "url": url, "query": "s3cret" }), "query"),
        (json!({ "url": url, "query": { "q": { "x": "s3cret" } } }), "query.q"),
        (json!({ "url": url, "headers": ["s3cret"] }), "headers"),
        (json!({ "url": url, "headers": { "X": ["s3cret"] } }), "headers.X"),
        (json!({ "url": url, "headers": { "X": "s3cret\r\nY: 1" } }), "headers.X"),
        (json!({ "url": url, "headers": { "X Y": "s3cret" } }), "headers.X Y"),
        (json!({ "url": url, "headers": { "Host": "s3cret" } }), "headers.Host"),
        (json!({ "url": url, "headers": { "transfer-encoding": "s3cret" } }), "headers.transfer-encoding"),
        (json!({ "url": url, "headers": { "Content-Length": 5 } }), "headers.Content-Length"),
        (json!({ "url": url, "headers": { "Idempotency-Key": "s3cret" } }), "headers.Idempotency-Key"),
        (json!({ "url": url, "auth": "s3cret" }), "auth"),
        (json!({ "url": url, "auth": { "type": "s3cret" } }), "auth.type"),
        (json!({ "url": url, "auth": { "type": "bearer" } }), "auth.token"),
        (json!({ "url": url, "auth": { "type": "basic", "username": "s3:cret" } }), "auth.username"),
        (json!({ "url": url, "auth": { "type": "header", "name": "TE", "value": "s3cret" } }), "auth.name"),
        (json!({ "url": url, "method": "s3cret" }), "method"),
        (json!({ "url": url, "success": "s3cret" }), "success"),
        (json!({ "url": url, "max_bytes": 0 }), "max_bytes"),
        (json!({ "url": url, "max_bytes": 100_000_001 }), "max_bytes"),
    ] {
        let failure = failure(&connectors, "post_api", config.clone()).await;
        assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Validation, "metadata"), "{config}");
        assert!(failure.message.starts_with(&format!("`{field}` ")), "{config}: {}", failure.message);
        assert!(!failure.message.contains("cret"), "{}", failure.message);
    }
}

#[tokio::test]
async fn an_unknown_type_is_not_available() {
    let server = Server::start(Router::new()).await;
    let failure = failure(&server.connectors(), "telegraph", json!({})).await;
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Permanent, "not_available"));
}
