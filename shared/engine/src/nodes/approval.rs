//! `approval`: people decide which way a run goes on (HIT-01).

use domain::{Failure, Role};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    About, Context, Control, Field, Group, Kind, Labels, Metadata, NodeType, Output, Problem, Shape, Typing,
};
use crate::{Vote, schema::Schema};

#[derive(Debug)]
pub(super) struct Approval;

/// The label of the edge that an approval takes.
pub const APPROVED: &str = "approved";

/// The label of the edge that a rejection takes.
pub const REJECTED: &str = "rejected";

/// The most people that an approval can ask for: their decisions stand in the control state.
const MAX_QUORUM: i64 = 20;

/// The longest title that is kept, in characters.
const MAX_TITLE: usize = 300;

/// The largest form that a person can fill in, as bytes of JSON.
pub const MAX_FORM_BYTES: usize = 8192;

const FIELDS: &[Field] = &[
    Field::required("title", Kind::Text, "what is to be decided"),
    Field::optional("form", Kind::Json, "JSON Schema of what a person fills in; nothing if left out"),
    Field::optional(
        "approvers",
        Kind::Json,
        "who may decide: {\"role\": \"admin\"} for that role and those above, or {\"members\": [ids]} of members and services; every editor \
         and service if left out",
    ),
    Field::optional(
        "quorum",
        Kind::Integer { min: 1, max: MAX_QUORUM },
        "how many have to approve, 1 if left out; one rejection rejects",
    )
    .or_else("1"),
    Field::optional("self_approval", Kind::Bool, "whether who started the run may decide; true if left out")
        .or_else("true"),
    Field::optional(
        "timeout_s",
        Kind::Integer { min: 1, max: 31_536_000 },
        "how long it stays open; until the run's deadline if left out",
    ),
    Field::optional(
        "on_timeout",
        Kind::OneOf(&["fail", "approve", "reject"]),
        "what it means that nobody decided in time; `fail` if left out",
    )
    .or_else("\"fail\""),
];

impl NodeType for Approval {
    fn name(&self) -> &'static str {
        "approval"
    }

    fn group(&self) -> Group {
        Group::Actions
    }

    fn about(&self) -> About {
        About {
            label: "Approval",
            help: "Asks people, and goes one way or the other.",
            example: r#"{"title": "Pay {{ input.amount }}?", "approvers": {"role": "admin"}, "quorum": 2, "timeout_s": 86400, "on_timeout": "reject"}"#,
        }
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        let form = match typing.metadata().plain("form") {
            Some(form) => Shape::of_schema(form).or(&Shape::null()),
            None => Shape::null(),
        };
        let by = Shape::text().or(&Shape::null());
        let decision = || Shape::words([APPROVED, REJECTED]);
        let vote = Shape::object([
            ("by", by.clone()),
            ("decision", decision()),
            ("on", Shape::text()),
            ("form", form.clone()),
        ]);
        Shape::object([("decision", decision()), ("by", by), ("form", form), ("votes", Shape::list(vote))])
    }

    fn check(&self, metadata: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(form) = metadata.get("form")
            && let Err(wrong) = Schema::compile(form)
        {
            problems.push(Problem::new(format!("/form{}", wrong.pointer), "wrong_schema", wrong.message));
        }
        if let Some(approvers) = metadata.get("approvers")
            && let Err(error) = Approvers::deserialize(approvers)
        {
            let message = format!("must be {{\"role\": …}} or {{\"members\": [ids]}}: {error}");
            problems.push(Problem::new("/approvers", "wrong_type", message));
        }
        if metadata.contains_key("on_timeout") && !metadata.contains_key("timeout_s") {
            let message = "`on_timeout` needs a `timeout_s`";
            problems.push(Problem::new("/on_timeout", "conflicting_fields", message));
        }
        problems
    }

    fn rules(&self) -> Value {
        let member = json!({ "type": "string" });
        json!({
            "dependentRequired": { "on_timeout": ["timeout_s"] },
            "properties": {
                "approvers": { "oneOf": [
                    {
                        "type": "object", "required": ["role"], "additionalProperties": false,
                        "properties": { "role": { "enum": ["viewer", "editor", "member", "admin", "owner"] } },
                    },
                    {
                        "type": "object", "required": ["members"], "additionalProperties": false,
                        "properties": { "members": { "type": "array", "items": member } },
                    },
                ] },
            },
        })
    }

    fn labels(&self, _metadata: &Map<String, Value>) -> Labels {
        Labels::Choice(vec![APPROVED.to_owned(), REJECTED.to_owned()])
    }

    fn control(&self) -> Option<Control> {
        Some(Control::Approval)
    }
}

/// Who may decide.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Approvers {
    /// Members with this role or one above.
    Role(Role),
    /// These members and services.
    Members(Vec<String>),
}

impl Approvers {
    /// Who may decide at a node with this metadata; None where it says nothing of it.
    pub fn of(metadata: &Map<String, Value>) -> Option<Self> {
        Self::deserialize(metadata.get("approvers")?).ok()
    }
}

/// Whether who started the run may decide.
pub fn allows_self_approval(metadata: &Map<String, Value>) -> bool {
    metadata.get("self_approval").and_then(Value::as_bool).unwrap_or(true)
}

pub(crate) fn title(metadata: &Metadata, context: &Context<'_>) -> Result<String, Failure> {
    let title = metadata.value("title", &context.scope())?.unwrap_or_default();
    let title = title.as_str().map_or_else(|| title.to_string(), str::to_owned);
    Ok(title.chars().take(MAX_TITLE).collect())
}

/// Seconds that it stays open.
pub(crate) fn timeout_s(metadata: &Metadata) -> Option<i64> {
    metadata.plain("timeout_s").and_then(Value::as_i64)
}

/// What it means that nobody decided in time: the output of that decision, or None for a failure.
pub(crate) fn on_timeout(metadata: &Metadata, votes: &[Vote]) -> Option<Output> {
    match metadata.plain("on_timeout").and_then(Value::as_str) {
        Some("approve") => Some(output(APPROVED, votes)),
        Some("reject") => Some(output(REJECTED, votes)),
        _ => None,
    }
}

/// The output, once the votes decide: the first rejection, or as many approvals as are asked for.
pub(crate) fn decided(metadata: &Metadata, votes: &[Vote]) -> Option<Output> {
    let quorum = metadata.plain("quorum").and_then(Value::as_u64).unwrap_or(1);
    if votes.iter().any(|vote| !vote.approves) {
        return Some(output(REJECTED, votes));
    }
    (votes.len() as u64 >= quorum).then(|| output(APPROVED, votes))
}

/// What is wrong with a form: pointers and messages; empty where nothing is.
pub(crate) fn form_problems(metadata: &Metadata, form: &Value) -> Vec<(String, String)> {
    if form.to_string().len() > MAX_FORM_BYTES {
        return vec![(String::new(), format!("must be at most {MAX_FORM_BYTES} bytes of JSON"))];
    }
    match metadata.plain("form").map(Schema::compile) {
        None if form.is_null() => Vec::new(),
        None => vec![(String::new(), "this approval has no form to fill in".to_owned())],
        Some(Ok(schema)) => {
            schema.mismatches(form).into_iter().map(|mismatch| (mismatch.pointer, mismatch.message)).collect()
        }
        Some(Err(wrong)) => vec![(wrong.pointer, wrong.message)],
    }
}

fn output(decision: &str, votes: &[Vote]) -> Output {
    let last = votes.last();
    let votes: Vec<_> = votes
        .iter()
        .map(|vote| {
            let decision = if vote.approves { APPROVED } else { REJECTED };
            json!({ "by": vote.by, "decision": decision, "on": vote.on, "form": vote.form })
        })
        .collect();
    let value = json!({
        "decision": decision,
        "by": last.map(|vote| &vote.by),
        "form": last.map(|vote| &vote.form),
        "votes": votes,
    });
    Output { label: Some(decision.to_owned()), ..value.into() }
}
