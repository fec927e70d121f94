//! `application/problem+json` as data (RFC 9457, api.md). Only `shared/http` turns it into an answer.

use serde::{Deserialize, Serialize};

/// A refusal that a client can read: what went wrong and, for bad input, every place that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A page that explains this kind, relative to the API's base: `/problems/<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words, the same for every instance.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The request's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Every mistake in the input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One mistake in the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the request's body; empty for the whole body.
    pub pointer: String,
    /// A stable word for programs.
    pub code: String,
    /// A sentence for people.
    pub detail: String,
    /// The node, where the mistake is in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Character offset inside the field, where it is an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
}

impl FieldError {
    /// A mistake that is in no node of a graph.
    pub fn new(pointer: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into(), node: None, offset: None }
    }
}
