//! `get_api`, `post_api`: one HTTP request. Executed by `connectors`; what it is asked to do is checked here.

use serde_json::{Map, Value, json};

use super::{About, Field, Group, Kind, NodeType, Problem, Shape, Typing};
use crate::pointer::join;

#[derive(Debug)]
pub(super) enum Http {
    Get,
    Post,
}

const URL: Field = Field::required("url", Kind::Text, "where the request goes: http or https");
const QUERY: Field = Field::optional(
    "query",
    Kind::TemplateObject,
    "parameters of the URL; null leaves one out, a list repeats it",
);
const HEADERS: Field =
    Field::optional("headers", Kind::TemplateObject, "headers of the request").may_hold_secrets();
const AUTH: Field = Field::optional(
    "auth",
    Kind::TemplateObject,
    "{type: bearer, token}, {type: basic, username, password} or {type: header, name, value}",
)
.may_hold_secrets();
const SUCCESS: Field = Field::optional(
    "success",
    Kind::Json,
    "a list of the statuses that count as success, such as 200 or \"2xx\"; 2xx if left out",
)
.or_else("[\"2xx\"]");
const MAX_BYTES: Field = Field::optional(
    "max_bytes",
    Kind::Integer { min: 1, max: 100_000_000 },
    "the largest body that is read of the answer; 10 MB if left out",
)
.or_else("10000000");

const GET: &[Field] = &[URL, QUERY, HEADERS, AUTH, SUCCESS, MAX_BYTES];

const POST: &[Field] = &[
    URL,
    Field::optional("method", Kind::OneOf(&["POST", "PUT", "PATCH", "DELETE"]), "POST if left out")
        .or_else("\"POST\""),
    Field::optional(
        "body",
        Kind::Template,
        "what is sent: JSON, unless a `Content-Type` among the headers says otherwise",
    ),
    QUERY,
    HEADERS,
    AUTH,
    SUCCESS,
    MAX_BYTES,
];

impl NodeType for Http {
    fn name(&self) -> &'static str {
        match self {
            Self::Get => "get_api",
            Self::Post => "post_api",
        }
    }

    fn group(&self) -> Group {
        Group::Actions
    }

    fn about(&self) -> About {
        match self {
            Self::Get => About {
                label: "GET request",
                help: "Asks an HTTP API.",
                example: r#"{"url": "https://api.example.com/orders", "query": {"state": "open"}, "auth": {"type": "bearer", "token": "{{ secret.TOKEN }}"}}"#,
            },
            Self::Post => About {
                label: "POST request",
                help: "Sends something to an HTTP API: POST, PUT, PATCH or DELETE.",
                example: r#"{"url": "https://api.example.com/orders", "method": "PUT", "body": {"id": "{{ input.id }}"}}"#,
            },
        }
    }

    fn rules(&self) -> Value {
        let class = json!({ "enum": ["1xx", "2xx", "3xx", "4xx", "5xx"] });
        let status = json!({ "anyOf": [{ "type": "integer", "minimum": 100, "maximum": 599 }, class] });
        let auth = |kind: &str, fields: &[&str]| {
            let mut properties = json!({ "type": { "const": kind } });
            for field in fields {
                properties[*field] = json!({ "type": "string" });
            }
            let required: Vec<_> = ["type"].iter().chain(fields).collect();
            json!({ "required": required, "properties": properties, "additionalProperties": false })
        };
        json!({ "properties": {
            "url": { "pattern": "^\\s*(\\{\\{|[hH][tT][tT][pP][sS]?://)" },
            "success": { "type": "array", "minItems": 1, "items": status },
            "auth": { "oneOf": [
                auth("bearer", &["token"]),
                auth("basic", &["username", "password"]),
                auth("header", &["name", "value"]),
            ] },
        } })
    }

    fn fields(&self) -> &'static [Field] {
        match self {
            Self::Get => GET,
            Self::Post => POST,
        }
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        typing.must_be("url", &Shape::text());
        let headers = Shape::object_of(Shape::text());
        Shape::object([("status", Shape::number()), ("headers", headers), ("body", Shape::any())])
    }

    fn check(&self, metadata: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(metadata.get("url").and_then(Value::as_str).and_then(problem_of_url));
        if let Some(Value::Object(auth)) = metadata.get("auth") {
            problems.extend(problems_of_auth(auth));
        }
        if let Some(success) = metadata.get("success") {
            problems.extend(problems_of_success(success));
        }
        problems
    }
}

/// A URL that begins with an expression is checked when it is known.
fn problem_of_url(url: &str) -> Option<Problem> {
    let lower = url.trim_start().to_ascii_lowercase();
    let fits = lower.starts_with("{{") || lower.starts_with("http://") || lower.starts_with("https://");
    (!fits)
        .then(|| Problem::new("/url", "wrong_url", "must begin with `https://`, `http://` or an expression"))
}

fn problems_of_auth(auth: &Map<String, Value>) -> Vec<Problem> {
    let wanted: &[&str] = match auth.get("type").and_then(Value::as_str) {
        Some("bearer") => &["token"],
        Some("basic") => &["username", "password"],
        Some("header") => &["name", "value"],
        _ => return vec![Problem::new("/auth/type", "wrong_value", "must be one of bearer, basic, header")],
    };
    let missing = wanted.iter().filter(|name| !auth.get(**name).is_some_and(Value::is_string)).map(|name| {
        Problem::new(join("/auth", name), "missing_field", format!("`{name}` is required, and is a string"))
    });
    let unknown =
        auth.keys().filter(|name| *name != "type" && !wanted.contains(&name.as_str())).map(|name| {
            let message =
                format!("`{name}` is not a field of this `auth`; it has type, {}", wanted.join(", "));
            Problem::new(join("/auth", name), "unknown_field", message)
        });
    missing.chain(unknown).collect()
}

fn problems_of_success(success: &Value) -> Vec<Problem> {
    let Some(entries) = success.as_array().filter(|entries| !entries.is_empty()) else {
        return vec![Problem::new("/success", "wrong_type", "must be a list of statuses that is not empty")];
    };
    let is_status = |entry: &Value| match entry {
        Value::String(class) => ["1xx", "2xx", "3xx", "4xx", "5xx"].contains(&class.as_str()),
        _ => entry.as_u64().is_some_and(|status| (100..=599).contains(&status)),
    };
    let wrong = entries.iter().enumerate().filter(|(_, entry)| !is_status(entry));
    wrong
        .map(|(i, _)| {
            Problem::new(join("/success", i), "wrong_value", "must be a status such as 200 or \"2xx\"")
        })
        .collect()
}
