//! Credentials on their way out, and what comes back of them.

use app::{
    fakes::MemoryTeamSecrets,
    ports::{Connectors as _, Executed},
};
use axum::{Router, extract::Request, http::StatusCode, response::IntoResponse as _, routing::get};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::ErrorClass;
use engine::{
    Call,
    expr::{Part, WithSecrets},
};
use serde_json::{Value, json};

use crate::support::{AMPLE, Server, call, connectors_with};

const VALUE: &str = "sk-live-4f/9+a\"b~c";

fn secret_at(pointer: &str, before: &str, name: &str) -> WithSecrets {
    let parts = vec![Part::Text(before.to_owned()), Part::Secret(name.to_owned())];
    WithSecrets { pointer: pointer.to_owned(), parts }
}

/// Executes a call that names `KEY`, which is [`VALUE`].
async fn execute(server: &Server, node_type: &str, config: Value, secrets: Vec<WithSecrets>) -> Executed {
    let call = Call { secrets, ..call(node_type, config) };
    let known = MemoryTeamSecrets::default().with(call.team_id, "KEY", VALUE);
    connectors_with(vec![server.rule()], known).execute(&call, AMPLE).await
}

fn holds_value(executed: &Executed) -> bool {
    let text =
        format!("{executed:?} {}", executed.outcome.as_ref().map(Value::to_string).unwrap_or_default());
    let quoted = json!(VALUE).to_string();
    let encoded = BASE64_STANDARD.encode(VALUE);
    [VALUE, quoted.trim_matches('"'), &encoded, &encoded[2..20]].iter().any(|form| text.contains(form))
}

#[tokio::test]
async fn a_secret_goes_out_and_its_echo_does_not_come_in() {
    // Tells the length of what it saw, beside an echo.
    let seen = |request: Request| async move {
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        let (key, auth) = (header("x-key"), header("authorization"));
        let basic = BASE64_STANDARD.decode(auth.trim_start_matches("Basic ")).unwrap();
        let is_right = key == format!("Key {VALUE}") && basic == format!("shop:{VALUE}").as_bytes();
        axum::Json(json!({"is_right": is_right, "key": key, "auth": auth, "in": {key.clone(): key}}))
    };
    let server = Server::start(Router::new().route("/seen", get(seen))).await;
    let config = json!({
        "url": server.url("/seen"),
        "headers": {"x-key": ""},
        "auth": {"type": "basic", "username": "shop", "password": ""},
    });
    let secrets = vec![secret_at("/headers/x-key", "Key ", "KEY"), secret_at("/auth/password", "", "KEY")];
    let executed = execute(&server, "get_api", config, secrets).await;
    assert!(!holds_value(&executed), "{executed:?}");
    let output = executed.outcome.unwrap();
    assert_eq!(
        (&output["body"]["is_right"], &output["body"]["key"]),
        (&json!(true), &json!("Key [secret KEY]"))
    );
    assert_eq!(output["body"]["in"], json!({"Key [secret KEY]": "Key [secret KEY]"}));
}

#[tokio::test]
async fn an_echo_in_a_refusal_or_a_redirect_does_not_come_in() {
    let refuse = |request: Request| async move {
        let key = request.headers()["x-key"].clone();
        (StatusCode::UNAUTHORIZED, [("x-echo", key.clone())], key.as_bytes().to_vec())
    };
    let lead_away = |request: Request| async move {
        let key = request.headers()["x-key"].to_str().unwrap().to_lowercase();
        let host: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
        (StatusCode::FOUND, [("location", format!("gopher://{host}/{key}"))]).into_response()
    };
    let router = Router::new().route("/refuse", get(refuse)).route("/away", get(lead_away));
    let server = Server::start(router).await;
    for path in ["/refuse", "/away"] {
        let config = json!({"url": server.url(path), "headers": {"x-key": ""}});
        let executed =
            execute(&server, "get_api", config, vec![secret_at("/headers/x-key", "", "KEY")]).await;
        assert!(executed.outcome.is_err() && !holds_value(&executed), "{path}: {executed:?}");
    }
}

#[tokio::test]
async fn a_call_whose_secret_is_missing_is_not_made() {
    let server = Server::start(Router::new()).await;
    let config = json!({"url": server.url("/"), "headers": {"x-key": "{{ secret.OTHER }}"}});
    let executed = execute(&server, "post_api", config, vec![secret_at("/headers/x-key", "", "OTHER")]).await;
    let failure = executed.outcome.unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (ErrorClass::Validation, "missing_secret"));
    assert!(failure.message.contains("OTHER") && executed.notes.is_empty(), "{failure:?}");
}

#[tokio::test]
async fn a_secret_that_can_not_stand_in_a_header_is_not_repeated() {
    let server = Server::start(Router::new()).await;
    let call = Call {
        secrets: vec![secret_at("/headers/x-key", "", "PEM")],
        ..call("get_api", json!({"url": server.url("/"), "headers": {"x-key": ""}}))
    };
    let known = MemoryTeamSecrets::default().with(call.team_id, "PEM", "-----BEGIN\nkey");
    let executed = connectors_with(vec![server.rule()], known).execute(&call, AMPLE).await;
    let failure = executed.outcome.unwrap_err();
    assert_eq!(failure.message, "`headers.x-key` can't stand in a header");
}
