//! Names, and what they resolve to.

use std::sync::Arc;

use app::fakes::MemoryTeamSecrets;
use axum::{Router, http::header, routing::get};
use connectors::{
    ConnectorSet,
    egress::{AllowRule, Egress, EgressPolicy},
};
use domain::ErrorClass;
use serde_json::json;

use crate::support::{Script, Server, assert_refused, failure, output};

/// Connectors whose names are resolved by `script`.
fn resolving(script: &Arc<Script>, allow: Vec<AllowRule>) -> ConnectorSet {
    let egress = Egress::with_lookup(EgressPolicy { allow }, Arc::clone(script) as _);
    ConnectorSet::new(egress, Arc::new(MemoryTeamSecrets::default()))
}

#[tokio::test]
async fn a_name_that_resolves_to_an_address_that_is_not_public_is_refused() {
    for (address, rule) in [
        ("127.0.0.1", "loopback"),
        ("10.1.2.3", "private"),
        ("169.254.169.254", "link_local"),
        ("fd00:ec2::254", "unique_local"),
        ("::ffff:10.0.0.1", "ipv4_mapped"),
    ] {
        let script = Script::new([&[address]]);
        let url = "https://innocent.example/";
        let failure = failure(&resolving(&script, Vec::new()), "get_api", json!({ "url": url })).await;
        assert_refused(&failure, rule);
        assert!(failure.message.starts_with("innocent.example resolves to "), "{}", failure.message);
    }
}

#[tokio::test]
async fn one_bad_address_among_good_ones_refuses_the_name() {
    let server = Server::start(Router::new()).await;
    let script = Script::new([&["127.0.0.1", "10.0.0.1"]]);
    let connectors = resolving(&script, vec![server.rule()]);
    let config = json!({ "url": format!("http://mixed.example:{}/", server.port()) });
    assert_refused(&failure(&connectors, "get_api", config).await, "private");
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_checked() {
    let server = Server::start(Router::new()).await;
    // Were the name resolved again for the connection, it would lead to the metadata of the cloud.
    let script = Script::new([&["127.0.0.1"], &["169.254.169.254"]]);
    let connectors = resolving(&script, vec![server.rule()]);
    let host = format!("rebinding.example:{}", server.port());
    let output = output(&connectors, "get_api", json!({ "url": format!("http://{host}/") })).await;
    assert_eq!(output["body"]["headers"]["host"], host);
    assert_eq!(script.asked(), ["rebinding.example"]);
}

#[tokio::test]
async fn each_hop_to_another_host_is_resolved_once_and_checked() {
    let hop = get(|headers: axum::http::HeaderMap| async move {
        let port = headers["host"].to_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
        (axum::http::StatusCode::FOUND, [(header::LOCATION, format!("http://second.example:{port}/"))])
    });
    let server = Server::start(Router::new().route("/", hop)).await;
    let script = Script::new([&["127.0.0.1"], &["192.168.0.1"], &["127.0.0.1"]]);
    let connectors = resolving(&script, vec![server.rule()]);
    let config = json!({ "url": format!("http://first.example:{}/", server.port()) });
    assert_refused(&failure(&connectors, "get_api", config).await, "private");
    assert_eq!(script.asked(), ["first.example", "second.example"]);
}

#[tokio::test]
async fn an_exception_for_a_name_holds_for_its_port_only() {
    let (named, other) = (Server::start(Router::new()).await, Server::start(Router::new()).await);
    let script = Script::new([&["127.0.0.1"], &["127.0.0.1"]]);
    let rule = AllowRule::Host { host: "orders.internal".to_owned(), port: named.port() };
    let connectors = resolving(&script, vec![rule]);
    let url = |server: &Server| format!("http://orders.internal:{}/", server.port());
    assert_eq!(output(&connectors, "get_api", json!({ "url": url(&named) })).await["status"], 200);
    assert_refused(&failure(&connectors, "get_api", json!({ "url": url(&other) })).await, "loopback");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_connection_failure() {
    let script = Script::new([]);
    let config = json!({ "url": "http://nowhere.example/?key=s3cret" });
    let failure = failure(&resolving(&script, Vec::new()), "get_api", config).await;
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Transient, "connection"));
    assert_eq!(failure.message, "no answer from nowhere.example: no such name");
}
