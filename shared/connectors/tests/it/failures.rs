//! Answers that are no success, and none at all.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use app::ports::Connectors as _;
use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    routing::get,
};
use domain::ErrorClass;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{AMPLE, Server, call, connectors, failure, output, run};

fn statuses() -> Router {
    let status = |Path(status): Path<u16>| async move {
        (StatusCode::from_u16(status).unwrap(), [(header::RETRY_AFTER, "17")], "the body of a stranger")
    };
    Router::new().route("/status/{status}", get(status))
}

#[tokio::test]
async fn a_status_that_is_no_success_fails_by_its_class() {
    let server = Server::start(statuses()).await;
    let connectors = server.connectors();
    for (status, class, retry_after_s) in [
        (400, ErrorClass::Permanent, None),
        (401, ErrorClass::Permanent, None),
        (404, ErrorClass::Permanent, None),
        (408, ErrorClass::Transient, Some(17)),
        (429, ErrorClass::Transient, Some(17)),
        (500, ErrorClass::Transient, Some(17)),
        (503, ErrorClass::Transient, Some(17)),
    ] {
        let url = server.url(&format!("/status/{status}?key=s3cret"));
        let executed = run(&connectors, "get_api", json!({ "url": url })).await;
        let failure = executed.outcome.unwrap_err();
        assert_eq!((failure.class, failure.code.as_str()), (class, "http_status"), "{status}");
        assert_eq!(failure.retry_after_s, retry_after_s, "{status}");
        assert_eq!(failure.message, format!("{} answered {status}", server.address));
        let note = &executed.notes[0];
        assert!(note.starts_with(&format!("GET {}: {status} in ", server.address)), "{note}");
    }
}

#[tokio::test]
async fn a_date_in_retry_after_is_measured_from_the_responses_date() {
    let answer = || async {
        let headers = [
            (header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (header::RETRY_AFTER, "Sun, 06 Nov 1994 08:51:37 GMT"),
        ];
        (StatusCode::TOO_MANY_REQUESTS, headers)
    };
    let server = Server::start(Router::new().route("/", get(answer))).await;
    let failure = failure(&server.connectors(), "get_api", json!({ "url": server.url("/") })).await;
    assert_eq!(failure.retry_after_s, Some(120));
}

#[tokio::test]
async fn the_author_decides_what_is_a_success() {
    let server = Server::start(statuses()).await;
    let connectors = server.connectors();
    let config = json!({ "url": server.url("/status/404"), "success": ["2xx", 404] });
    assert_eq!(output(&connectors, "get_api", config).await["status"], 404);
    let config = json!({ "url": server.url("/status/200"), "success": [204] });
    assert_eq!(failure(&connectors, "get_api", config).await.class, ErrorClass::Permanent);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_a_timeout_of_the_shorter_limit() {
    let server = Server::start(Router::new().route("/", get(pending::<()>))).await;
    let connectors = server.connectors();
    for (timeout_s, budget) in [(30, Duration::from_millis(100)), (0, AMPLE)] {
        let mut call = call("get_api", json!({ "url": server.url("/?key=s3cret") }));
        call.timeout_s = timeout_s;
        let begun = Instant::now();
        let executed = connectors.execute(&call, budget).await;
        assert!(begun.elapsed() < AMPLE);
        let failure = executed.outcome.unwrap_err();
        assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Transient, "timeout"));
        assert_eq!(failure.message, format!("{} did not answer in time", server.address));
        assert!(executed.notes[0].contains(": timeout in "), "{:?}", executed.notes);
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_connection_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let connectors =
        connectors(format!("{address}").parse::<connectors::egress::EgressPolicy>().unwrap().allow);
    let config = json!({ "url": format!("http://{address}/?key=s3cret") });
    let failure = failure(&connectors, "get_api", config).await;
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Transient, "connection"));
    assert!(failure.message.starts_with(&format!("no answer from {address}: ")), "{}", failure.message);
    assert!(!failure.message.contains("s3cret"));
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_a_connection_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let closing = tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let policy: connectors::egress::EgressPolicy = address.to_string().parse().unwrap();
    let connectors = connectors(policy.allow);
    for scheme in ["http", "https"] {
        let config = json!({ "url": format!("{scheme}://{address}/?key=s3cret") });
        let failure = failure(&connectors, "post_api", config).await;
        assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Transient, "connection"), "{scheme}");
        assert!(!failure.message.contains("s3cret"), "{}", failure.message);
    }
    closing.abort();
}

#[tokio::test]
async fn a_server_without_tls_is_a_connection_failure_for_https() {
    let server = Server::start(Router::new()).await;
    let config = json!({ "url": format!("https://{}/", server.address) });
    let failure = failure(&server.connectors(), "get_api", config).await;
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Transient, "connection"));
}
