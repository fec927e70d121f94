//! What no workflow can reach (SEC-13).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{Router, routing::get};
use serde_json::json;

use crate::support::{Server, assert_refused, connectors, failure};

#[tokio::test]
async fn addresses_that_are_not_public_are_refused_with_their_rule() {
    let connectors = connectors(Vec::new());
    for (url, rule) in [
        ("http://169.254.169.254/", "link_local"),
        ("http://169.254.169.254/latest/meta-data/iam/", "link_local"),
        ("http://[::ffff:127.0.0.1]/", "ipv4_mapped"),
        ("http://[::ffff:7f00:1]/", "ipv4_mapped"),
        ("http://2130706433/", "loopback"),
        ("http://0x7f.1/", "loopback"),
        ("http://127.1/", "loopback"),
        ("http://[::1]/", "loopback"),
        ("http://0/", "this_network"),
        ("http://10.0.0.1/", "private"),
        ("https://192.168.1.1/", "private"),
        ("http://[fd00:ec2::254]/", "unique_local"),
        ("http://[64:ff9b::a9fe:a9fe]/", "nat64"),
        ("http://[2002:7f00:1::]/", "6to4"),
        ("http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", "loopback"),
    ] {
        for node_type in ["get_api", "post_api"] {
            assert_refused(&failure(&connectors, node_type, json!({ "url": url })).await, rule);
        }
    }
}

#[tokio::test]
async fn localhost_is_resolved_and_refused() {
    let connectors = connectors(Vec::new());
    assert_refused(&failure(&connectors, "get_api", json!({ "url": "http://localhost/" })).await, "loopback");
}

#[tokio::test]
async fn other_schemes_and_credentials_in_the_url_are_refused() {
    let connectors = connectors(Vec::new());
    for (url, rule) in [
        ("file:///etc/passwd", "scheme"),
        ("ftp://example.com/", "scheme"),
        ("gopher://127.0.0.1:6379/_x", "scheme"),
        ("data:text/plain,x", "scheme"),
        ("unix:/run/docker.sock", "scheme"),
        ("http://me:s3cret@example.com/", "userinfo"),
        ("http://example.com@127.0.0.1/", "userinfo"),
    ] {
        let failure = failure(&connectors, "get_api", json!({ "url": url })).await;
        assert_refused(&failure, rule);
        assert!(!failure.message.contains("s3cret"));
    }
}

#[tokio::test]
async fn a_refused_server_never_hears_of_the_request() {
    let reached = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&reached);
    let router = Router::new().route(
        "/",
        get(move || {
            flag.store(true, Ordering::SeqCst);
            async {}
        }),
    );
    let (server, other) = (Server::start(router).await, Server::start(Router::new()).await);
    let refused = failure(&other.connectors(), "get_api", json!({ "url": server.url("/") })).await;
    assert_refused(&refused, "loopback");
    assert!(!reached.load(Ordering::SeqCst));
}
