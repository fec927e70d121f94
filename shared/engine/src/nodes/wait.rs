//! `wait`: goes on after some seconds or at a time, and hands its input on.

use chrono::{DateTime, TimeDelta};
use domain::{Failure, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    About, Context, Control, Field, Group, Kind, Metadata, NodeType, Problem, Shape, Typing, invalid, one_of,
    one_of_rule,
};

#[derive(Debug)]
pub(super) struct Wait;

/// The longest wait, in seconds: a year, as a run has at most.
const MAX_WAIT_S: f64 = 31_536_000.0;

const FIELDS: &[Field] = &[
    Field::optional("seconds", Kind::Template, "how long to wait: a number, or `{{ }}` that gives one"),
    Field::optional(
        "until",
        Kind::Text,
        "until when to wait, RFC 3339; a time that has passed waits for nothing",
    ),
];

impl NodeType for Wait {
    fn name(&self) -> &'static str {
        "wait"
    }

    fn group(&self) -> Group {
        Group::Control
    }

    fn about(&self) -> About {
        About {
            label: "Wait",
            help: "Waits for a time, then hands its input on.",
            example: r#"{"seconds": 3600}"#,
        }
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        typing.must_be("seconds", &Shape::number());
        typing.must_be("until", &Shape::text());
        typing.input()
    }

    fn check(&self, metadata: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = one_of(metadata, &[&["seconds"], &["until"]]);
        if let Some(seconds) = metadata.get("seconds").filter(|seconds| !seconds.is_string())
            && let Err(failure) = delay(seconds)
        {
            problems.push(Problem::new("/seconds", "out_of_range", failure.message));
        }
        problems
    }

    fn rules(&self) -> Value {
        let mut rules = one_of_rule(&[&["seconds"], &["until"]]);
        let seconds = json!({ "type": "number", "minimum": 0, "maximum": MAX_WAIT_S });
        rules["properties"] = json!({ "seconds": { "anyOf": [seconds, { "type": "string" }] } });
        rules
    }

    fn control(&self) -> Option<Control> {
        Some(Control::Wait)
    }
}

/// When a wait that begins now is over.
pub(crate) fn until(
    metadata: &Metadata,
    context: &Context<'_>,
    now: Timestamp,
) -> Result<Timestamp, Failure> {
    let scope = context.scope();
    if let Some(seconds) = metadata.value("seconds", &scope)? {
        return Ok(now + delay(&seconds)?);
    }
    let until = metadata.value("until", &scope)?.unwrap_or_default();
    let time = until.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let time = time.ok_or_else(|| invalid("wrong_time", format!("until: {until} is no RFC 3339 time")))?;
    let latest = now + TimeDelta::milliseconds(to_ms(MAX_WAIT_S));
    if time > latest {
        return Err(invalid("wrong_time", format!("until: {until} is more than a year away")));
    }
    Ok(time.to_utc())
}

fn delay(seconds: &Value) -> Result<TimeDelta, Failure> {
    match seconds.as_f64() {
        Some(number) if (0.0..=MAX_WAIT_S).contains(&number) => Ok(TimeDelta::milliseconds(to_ms(number))),
        _ => Err(invalid(
            "wrong_time",
            format!("seconds: {seconds} is no number of seconds from 0 to {MAX_WAIT_S}"),
        )),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds of at most a year")]
pub(crate) fn to_ms(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}
