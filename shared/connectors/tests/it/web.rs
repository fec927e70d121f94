//! Documents of identity providers.

use app::ports::{StoreError, Web as _, WebForm};
use axum::{
    Json, Router,
    body::Body,
    http::StatusCode,
    response::Redirect,
    routing::{get, post},
};
use connectors::{
    EgressWeb,
    egress::{AllowRule, Egress, EgressPolicy},
};
use serde_json::json;

use crate::support::Server;

fn web(allow: Vec<AllowRule>) -> EgressWeb {
    EgressWeb::new(Egress::new(EgressPolicy { allow }))
}

async fn provider() -> (Server, EgressWeb) {
    let routes = Router::new()
        .route("/keys", get(async || Json(json!({"keys": []}))))
        .route("/text", get(async || "hello"))
        .route("/broken", get(async || StatusCode::BAD_GATEWAY))
        .route("/refused", post(async || (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})))))
        .route("/elsewhere", get(async || Redirect::temporary("/keys")))
        .route("/elsewhere", post(async || Redirect::temporary("/form")))
        .route("/large", get(async || Body::from(vec![b' '; 300_000])));
    let server = Server::start(routes).await;
    let web = web(vec![server.rule()]);
    (server, web)
}

fn is_unavailable<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unavailable { .. }))
}

#[tokio::test]
async fn a_document_is_read() {
    let (server, web) = provider().await;
    let keys = web.get(&server.url("/keys")).await.unwrap();
    assert_eq!(keys.document(), Some(json!({"keys": []})));
    let text = web.get(&server.url("/text")).await.unwrap();
    assert_eq!((text.status, text.body.is_none()), (200, true));
}

#[tokio::test]
async fn a_form_is_sent_with_credentials_that_are_encoded_first() {
    let (server, web) = provider().await;
    let form = WebForm {
        url: &server.url("/form"),
        fields: &[("code", "a&b=c"), ("grant_type", "authorization_code")],
        basic: Some(("a:b", "c d+")),
    };
    let sent = web.post(&form).await.unwrap().document().unwrap();
    assert_eq!(
        (&sent["method"], &sent["body"]),
        (&json!("POST"), &json!("code=a%26b%3Dc&grant_type=authorization_code"))
    );
    assert_eq!(sent["headers"]["content-type"], "application/x-www-form-urlencoded");
    // a%3Ab:c+d%2B
    assert_eq!(sent["headers"]["authorization"], "Basic YSUzQWI6YytkJTJC");
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_a_breakdown_is_none() {
    let (server, web) = provider().await;
    let refused =
        web.post(&WebForm { url: &server.url("/refused"), fields: &[], basic: None }).await.unwrap();
    assert_eq!((refused.status, refused.body.clone()), (400, Some(json!({"error": "invalid_grant"}))));
    assert_eq!(refused.document(), None);
    assert!(is_unavailable(&web.get(&server.url("/broken")).await));
    assert!(is_unavailable(&web.get(&server.url("/large")).await));
}

#[tokio::test]
async fn nothing_is_carried_elsewhere() {
    let (server, web) = provider().await;
    assert!(is_unavailable(&web.get(&server.url("/elsewhere")).await));
    let form = WebForm { url: &server.url("/elsewhere"), fields: &[("client_secret", "x")], basic: None };
    assert!(is_unavailable(&web.post(&form).await));
}

#[tokio::test]
async fn nothing_goes_in_clear_but_to_whom_the_deployment_names() {
    let (server, _) = provider().await;
    let network = AllowRule::Net { net: "127.0.0.0/8".parse().unwrap(), port: None };
    for (web, url, is_asked) in [
        (web(vec![]), server.url("/keys"), false),
        (web(vec![network.clone()]), server.url("/keys"), true),
        (web(vec![network]), format!("http://localhost:{}/keys", server.port()), false),
        (
            web(vec![AllowRule::Host { host: "localhost".to_owned(), port: server.port() }]),
            format!("http://localhost:{}/keys", server.port()),
            true,
        ),
        (web(vec![]), "file:///etc/passwd".to_owned(), false),
        (web(vec![]), "no address".to_owned(), false),
    ] {
        assert_eq!(web.get(&url).await.is_ok(), is_asked, "{url}");
    }
}
