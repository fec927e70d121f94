//! The bodies of responses and their limits.

use std::{convert::Infallible, time::Duration};

use app::ports::Connectors as _;
use axum::{Router, body::Body, body::Bytes, http::header, routing::get};
use domain::ErrorClass;
use futures::stream::{self, StreamExt as _};
use serde_json::json;

use crate::support::{Server, call, failure, output};

fn body_of(size: usize) -> Router {
    Router::new().route("/", get(move || async move { vec![b'x'; size] }))
}

#[tokio::test]
async fn a_body_as_large_as_the_limit_is_taken_and_one_byte_more_is_not() {
    for (size, taken) in [(1000, true), (1001, false)] {
        let server = Server::start(body_of(size)).await;
        let config = json!({ "url": server.url("/"), "max_bytes": 1000 });
        let outcome =
            server.connectors().execute(&call("get_api", config), Duration::from_secs(20)).await.outcome;
        match outcome {
            Ok(output) => assert!(taken && output["body"].as_str().unwrap().len() == size),
            Err(failure) => {
                assert!(!taken);
                let expected = (ErrorClass::Permanent, "response_too_large");
                assert_eq!((failure.class, failure.code.as_str()), expected);
                assert!(failure.message.ends_with("is larger than 1000 bytes"), "{}", failure.message);
            }
        }
    }
}

#[tokio::test]
async fn an_endless_body_is_broken_off_at_the_limit() {
    let endless = || async {
        Body::from_stream(stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 8192]))))
    };
    let server = Server::start(Router::new().route("/", get(endless))).await;
    let failure = failure(&server.connectors(), "get_api", json!({ "url": server.url("/") })).await;
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Permanent, "response_too_large"));
}

#[tokio::test]
async fn a_body_that_stops_coming_is_a_timeout() {
    let stalled = || async {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"x"))]);
        Body::from_stream(first.chain(stream::pending()))
    };
    let server = Server::start(Router::new().route("/", get(stalled))).await;
    let call = call("get_api", json!({ "url": server.url("/") }));
    let executed = server.connectors().execute(&call, Duration::from_millis(300)).await;
    let failure = executed.outcome.unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Transient, "timeout"));
}

#[tokio::test]
async fn json_text_and_bytes_arrive_as_such() {
    let router = Router::new()
        .route("/json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], r#"{"id":1}"#) }))
        .route("/broken", get(|| async { ([(header::CONTENT_TYPE, "application/json")], r#"{"id":"#) }))
        .route("/text", get(|| async { "hello" }))
        .route("/bytes", get(|| async { vec![0xff_u8, 0x00] }))
        .route("/cookie", get(|| async { ([(header::SET_COOKIE, "session=secret")], "") }));
    let server = Server::start(router).await;
    let connectors = server.connectors();
    for (path, body) in [
        ("/json", json!({ "id": 1 })),
        ("/text", json!("hello")),
        ("/bytes", json!({ "base64": "/wA=" })),
        ("/cookie", json!(null)),
    ] {
        let output = output(&connectors, "get_api", json!({ "url": server.url(path) })).await;
        assert_eq!(output["body"], body, "{path}");
        assert_eq!(output["headers"].get("set-cookie"), None);
    }
    let failure = failure(&connectors, "get_api", json!({ "url": server.url("/broken") })).await;
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Permanent, "invalid_json"));
}
