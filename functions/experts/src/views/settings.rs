//! Settings of experts (EXP-06, EXP-11, EXP-12).

use catalog::WrongSubs;
use domain::{ExpertId, FieldError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The most tools of an expert.
const MOST_TOOLS: usize = 64;

/// The most sub-experts of an expert.
const MOST_SUBS: usize = 20;

/// How an expert answers. What is absent is the model's own choice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// 0, always the same, to 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// The longest answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    max_tokens: Option<u32>,
    /// Names of the tools that it may call; at most 64 of at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 64)]
    tools: Option<Vec<String>>,
    /// What it remembers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<Memory>,
    /// Experts of the team that it may ask; at most 20, and none of them may lead back to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 20)]
    sub_experts: Option<Vec<ExpertId>>,
}

/// What an expert remembers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Memory {
    /// For how long.
    scope: MemoryScope,
    /// The most messages that it is reminded of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000)]
    max_messages: Option<u32>,
}

/// For how long an expert remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MemoryScope {
    /// Not from one answer to the next.
    None,
    /// As long as a conversation.
    Session,
    /// As long as it talks with the same person.
    User,
}

impl Settings {
    /// Temperature and longest answer.
    pub(super) const fn sampling(&self) -> (Option<f64>, Option<u32>) {
        (self.temperature, self.max_tokens)
    }

    /// The sub-experts that may be looked up: not those of a list that is too long.
    pub(crate) fn sub_experts(&self) -> &[ExpertId] {
        self.sub_experts.as_deref().filter(|subs| subs.len() <= MOST_SUBS).unwrap_or_default()
    }

    /// Adds what is wrong without looking further than these settings.
    pub(super) fn check(&self, mistakes: &mut Vec<FieldError>) {
        let mut wrong = |pointer: &str, code: &str, detail: &str| {
            mistakes.push(FieldError::new(format!("/settings/{pointer}"), code, detail));
        };
        if self.temperature.is_some_and(|temperature| !(0.0..=2.0).contains(&temperature)) {
            wrong("temperature", "out_of_range", "A temperature is 0 to 2.");
        }
        if self.max_tokens.is_some_and(|tokens| !(1..=1_000_000).contains(&tokens)) {
            wrong("max_tokens", "out_of_range", "An answer has 1 to 1,000,000 tokens at most.");
        }
        if self
            .memory
            .as_ref()
            .is_some_and(|memory| memory.max_messages.is_some_and(|n| !(1..=1_000).contains(&n)))
        {
            wrong("memory/max_messages", "out_of_range", "An expert is reminded of 1 to 1,000 messages.");
        }
        let tools = self.tools.as_deref().unwrap_or_default();
        if tools.len() > MOST_TOOLS {
            wrong("tools", "too_many", "An expert has at most 64 tools.");
        }
        for (i, tool) in tools.iter().enumerate().take(MOST_TOOLS) {
            if tool.trim().is_empty() || tool.chars().count() > 100 {
                wrong(&format!("tools/{i}"), "length", "The name of a tool has 1 to 100 characters.");
            } else if tools[..i].contains(tool) {
                wrong(&format!("tools/{i}"), "duplicate", "This tool is named twice.");
            }
        }
        let subs = self.sub_experts.as_deref().unwrap_or_default();
        if subs.len() > MOST_SUBS {
            wrong("sub_experts", "too_many", "An expert has at most 20 sub-experts.");
        }
        for (i, sub) in subs.iter().enumerate().take(MOST_SUBS) {
            if subs[..i].contains(sub) {
                wrong(&format!("sub_experts/{i}"), "duplicate", "This expert is named twice.");
            }
        }
    }

    /// As they are kept.
    pub(super) fn into_map(self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            other => unreachable!("settings are an object in JSON, not {other:?}"),
        }
    }
}

/// What the catalog found wrong with `subs`, each at its place.
pub(crate) fn sub_mistakes(subs: &[ExpertId], wrong: &WrongSubs) -> Vec<FieldError> {
    let mistaken = |(i, sub): (usize, &ExpertId)| {
        let pointer = format!("/settings/sub_experts/{i}");
        if wrong.circular.contains(sub) {
            Some(FieldError::new(
                &pointer,
                "circular",
                "This expert is, or leads back to, the expert itself.",
            ))
        } else if wrong.missing.contains(sub) {
            Some(FieldError::new(&pointer, "unknown_expert", "The team has no such expert."))
        } else {
            None
        }
    };
    subs.iter().enumerate().filter_map(mistaken).collect()
}
