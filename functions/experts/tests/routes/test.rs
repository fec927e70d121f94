//! Experts that are tried out (EXP-08).

use app::ports::{Completion, ModelError, Prompt, unavailable};
use serde_json::{Value, json};

use crate::world::World;

fn answer(text: &str) -> Completion {
    Completion {
        text: text.to_owned(),
        model: "m-2026".to_owned(),
        is_cut: false,
        input_tokens: Some(21),
        output_tokens: None,
    }
}

async fn clerk(world: &World) -> String {
    let expert = world.create(json!({
        "prompt": "Be {{ input.mood }}.", "model_name": "m",
        "input_params": {"type": "object", "required": ["mood"]},
        "settings": {"temperature": 0.5, "max_tokens": 100},
    }));
    format!("{}/test", expert.await)
}

#[tokio::test]
async fn exp_08_an_expert_answers_by_its_model() {
    let world = World::new().await;
    let path = clerk(&world).await;
    world.models.answer(Ok(answer("Gladly.")));
    let body = json!({"params": {"mood": "kind"}, "message": "Help me!"});
    let tested = world.send("POST", &path, &body).await;
    let expected = json!({
        "text": "Gladly.", "model": "m-2026", "is_cut": false, "prompt": "Be kind.",
        "usage": {"input_tokens": 21, "output_tokens": null}, "latency_ms": 0,
    });
    assert_eq!((tested.code(), &tested.body), (200, &expected));
    let asked = Prompt {
        model: "m".to_owned(),
        system: Some("Be kind.".to_owned()),
        message: "Help me!".to_owned(),
        temperature: Some(0.5),
        max_tokens: Some(100),
    };
    assert_eq!(world.models.take_asked(), [asked]);
}

#[tokio::test]
async fn exp_08_without_a_message_the_prompt_is_the_question() {
    let world = World::new().await;
    let path = clerk(&world).await;
    world.models.answer(Ok(answer("")));
    let tested = world.send("POST", &path, &json!({"params": {"mood": "kind"}})).await;
    assert_eq!((tested.code(), &tested.body["prompt"]), (200, &json!("Be kind.")));
    let asked = world.models.take_asked().remove(0);
    assert_eq!((asked.system, asked.message.as_str()), (None, "Be kind."));
}

#[tokio::test]
async fn exp_08_what_makes_no_sense_is_told_at_once_and_costs_nothing() {
    let world = World::new().await;
    let path = clerk(&world).await;
    let problem = world.send("POST", &path, &json!({"message": ""})).await.problem();
    let told: Vec<_> =
        problem.errors.iter().map(|error| (error.pointer.as_str(), error.code.as_str())).collect();
    assert_eq!(problem.status, 422);
    assert_eq!(told, [("/message", "length"), ("/params", "input"), ("/params", "missing")]);
    assert_eq!(world.models.take_asked(), []);
}

#[tokio::test]
async fn exp_08_why_there_is_no_answer_is_told() {
    let world = World::new().await;
    let path = clerk(&world).await;
    let refused =
        ModelError::Refused { provider: "acme".to_owned(), status: 400, message: "Too long.".to_owned() };
    let busy = ModelError::Busy { provider: "acme".to_owned() };
    let silent = unavailable("ask a model")("nobody answers").into();
    for (error, status, code, detail) in [
        (
            ModelError::NotOffered,
            409,
            "model_not_offered",
            "No provider of this deployment offers the model `m`.",
        ),
        (refused, 502, "model_refused", "acme answered 400. Too long."),
        (busy, 503, "unavailable", "Try again in a moment."),
        (silent, 503, "unavailable", "Try again in a moment."),
    ] {
        world.models.answer(Err(error));
        let problem = world.send("POST", &path, &json!({"params": {"mood": "kind"}})).await;
        assert_eq!((problem.code(), problem.problem_code().as_str()), (status, code));
        assert_eq!(problem.body["detail"], Value::from(detail));
    }
}
