//! Language models of providers.

use std::sync::Arc;

use app::{
    fakes::{ManualClock, MemorySecrets},
    ports::{ModelError, Models as _, Name, Prompt},
};
use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    response::Redirect,
    routing::post,
};
use connectors::{
    ChatModels,
    egress::{Egress, EgressPolicy},
};
use serde_json::{Value, json};

use crate::support::Server;

fn prompt(model: &str) -> Prompt {
    Prompt {
        model: model.to_owned(),
        system: Some("Be brief.".to_owned()),
        message: "Who are you?".to_owned(),
        temperature: Some(0.0),
        max_tokens: Some(10),
    }
}

/// Says what it was asked and by which key.
async fn chat(headers: HeaderMap, Json(question): Json<Value>) -> Json<Value> {
    let key = headers.get("authorization").map(|key| key.to_str().unwrap().to_owned());
    let said = json!({"key": key, "question": question}).to_string();
    Json(json!({
        "model": "echo-2026-11-01", "choices": [{"message": {"role": "assistant", "content": said}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3},
    }))
}

async fn providers() -> (Server, ChatModels) {
    let unknown = (StatusCode::NOT_FOUND, Json(json!({"error": {"message": "no model `strange`"}})));
    let routes = Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/busy/chat/completions", post(async || StatusCode::TOO_MANY_REQUESTS))
        .route("/broken/chat/completions", post(async || StatusCode::BAD_GATEWAY))
        .route("/strange/chat/completions", post(async move || unknown))
        .route("/page/chat/completions", post(async || "<html>"))
        .route("/elsewhere/chat/completions", post(async || Redirect::temporary("/v1/chat/completions")));
    let server = Server::start(routes).await;
    let provider = |name: &str, path: &str| json!({"name": name, "base_url": server.url(path), "api_key": "sk-1", "models": [name]});
    let list = json!([
        provider("echo", "/v1"), provider("busy", "/busy"), provider("broken", "/broken"),
        provider("strange", "/strange"), provider("page", "/page/"), provider("elsewhere", "/elsewhere"),
        {"name": "inside", "base_url": "http://10.0.0.1/v1", "models": ["inside"]},
        {"name": "metadata", "base_url": "https://169.254.169.254/v1", "models": ["metadata"]},
    ]);
    let secrets = MemorySecrets::default();
    secrets.replace(&Name::parse("model-providers").unwrap(), &list.to_string());
    let models = models_of(&server, secrets);
    (server, models)
}

fn models_of(server: &Server, secrets: MemorySecrets) -> ChatModels {
    let egress = Egress::new(EgressPolicy { allow: vec![server.rule()] });
    ChatModels::new(egress, Arc::new(secrets), Arc::new(ManualClock::default()))
}

#[tokio::test]
async fn the_provider_that_offers_a_model_is_asked_with_its_key() {
    let (_server, models) = providers().await;
    let answer = models.complete(&prompt("echo")).await.unwrap();
    assert_eq!((answer.model.as_str(), answer.is_cut), ("echo-2026-11-01", false));
    assert_eq!((answer.input_tokens, answer.output_tokens), (Some(12), Some(3)));
    let said: Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(said["key"], "Bearer sk-1");
    let expected = json!({
        "model": "echo", "temperature": 0.0, "max_tokens": 10,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who are you?"}],
    });
    assert_eq!(said["question"], expected);
}

#[tokio::test]
async fn what_no_provider_offers_is_asked_of_none() {
    let (server, models) = providers().await;
    assert!(matches!(models.complete(&prompt("other")).await, Err(ModelError::NotOffered)));
    let none = models_of(&server, MemorySecrets::default());
    assert!(matches!(none.complete(&prompt("echo")).await, Err(ModelError::NotOffered)));
}

#[tokio::test]
async fn a_refusal_a_full_house_and_a_breakdown_are_told_apart() {
    let (_server, models) = providers().await;
    let Err(ModelError::Refused { provider, status, message }) = models.complete(&prompt("strange")).await
    else {
        panic!("it refused");
    };
    assert_eq!((provider.as_str(), status, message.as_str()), ("strange", 404, "no model `strange`"));
    assert!(matches!(models.complete(&prompt("busy")).await, Err(ModelError::Busy { .. })));
    for broken in ["broken", "page", "elsewhere"] {
        let answer = models.complete(&prompt(broken)).await;
        assert!(
            matches!(answer, Err(ModelError::Store(_) | ModelError::Refused { .. })),
            "{broken}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn keys_go_nowhere_that_strangers_may_listen() {
    let (_server, models) = providers().await;
    for guarded in ["inside", "metadata"] {
        let answer = models.complete(&prompt(guarded)).await;
        assert!(matches!(answer, Err(ModelError::Store(_))), "{guarded}: {answer:?}");
    }
}
