//! Questions and answers of the chat completions API.

use app::ports::{Completion, Prompt};
use serde::{Deserialize, Serialize};

/// The most characters of a provider's reason that are told.
const REASON_MAX: usize = 300;

/// What is sent.
#[derive(Debug, Serialize)]
pub(super) struct Question<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
}

#[derive(Debug, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

pub(super) fn question(prompt: &Prompt) -> Question<'_> {
    let system = prompt.system.as_deref().map(|content| Message { role: "system", content });
    let user = Message { role: "user", content: &prompt.message };
    Question {
        model: &prompt.model,
        messages: system.into_iter().chain([user]).collect(),
        temperature: prompt.temperature,
        max_tokens: prompt.max_tokens,
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Said {
    content: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

/// What a provider answered to a question for `model`. Fields that are not known are not looked at.
pub(super) fn answer(body: &[u8], model: &str) -> Result<Completion, &'static str> {
    let Answer { model: answering, choices, usage } =
        serde_json::from_slice(body).map_err(|_| "the answer is no completion")?;
    let Choice { message, finish_reason } = choices.into_iter().next().ok_or("the answer has no choice")?;
    let usage = usage.unwrap_or_default();
    Ok(Completion {
        text: message.content.unwrap_or_default(),
        model: answering.unwrap_or_else(|| model.to_owned()),
        is_cut: finish_reason.as_deref() == Some("length"),
        input_tokens: usage.prompt_tokens,
        output_tokens: usage.completion_tokens,
    })
}

#[derive(Debug, Deserialize)]
struct Refusal {
    error: Reason,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Reason {
    Told { message: String },
    Text(String),
}

/// Why a provider refused, where it says so in one of the ways that are common.
pub(super) fn reason(body: &[u8]) -> String {
    let told = match serde_json::from_slice(body) {
        Ok(Refusal { error: Reason::Told { message } | Reason::Text(message) }) => message,
        Err(_) => String::new(),
    };
    told.chars().take(REASON_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_says_what_is_known_and_no_more() {
        let prompt = Prompt {
            model: "m".to_owned(),
            system: None,
            message: "Hello".to_owned(),
            temperature: None,
            max_tokens: Some(7),
        };
        let expected =
            json!({"model": "m", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 7});
        assert_eq!(serde_json::to_value(question(&prompt)).unwrap(), expected);
        let prompt = Prompt { system: Some("Be brief".to_owned()), temperature: Some(0.5), ..prompt };
        let told = serde_json::to_value(question(&prompt)).unwrap();
        assert_eq!(told["messages"][0], json!({"role": "system", "content": "Be brief"}));
        assert_eq!((&told["messages"][1]["role"], &told["temperature"]), (&json!("user"), &json!(0.5)));
    }

    #[test]
    fn an_answer_is_read_as_far_as_it_goes() {
        let body = json!({
            "id": "x", "model": "m-2026", "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "length"}],
        });
        let read = answer(body.to_string().as_bytes(), "m").unwrap();
        assert_eq!((read.text.as_str(), read.model.as_str(), read.is_cut), ("Hi", "m-2026", true));
        assert_eq!((read.input_tokens, read.output_tokens), (Some(3), Some(2)));
        let silent = answer(br#"{"choices": [{"message": {"content": null}}]}"#, "m").unwrap();
        assert_eq!((silent.text.as_str(), silent.model.as_str(), silent.output_tokens), ("", "m", None));
        for wrong in [&b"{}"[..], br#"{"choices": []}"#, b"<html>"] {
            assert!(answer(wrong, "m").is_err());
        }
    }

    #[test]
    fn a_reason_is_found_and_cut() {
        for (body, told) in [
            (r#"{"error": {"message": "no such model", "type": "x"}}"#, "no such model"),
            (r#"{"error": "no"}"#, "no"),
            ("<html>", ""),
        ] {
            assert_eq!(reason(body.as_bytes()), told);
        }
        let long = json!({"error": "é".repeat(1000)}).to_string();
        assert_eq!(reason(long.as_bytes()).chars().count(), REASON_MAX);
    }
}
