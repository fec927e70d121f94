//! `if_else`: chooses which edges are live, and hands its input on.

use domain::Failure;
use serde_json::{Map, Value, json};

use super::{
    About, Context, ERROR, Field, Group, Kind, Labels, Metadata, NodeType, Output, Problem, Pure, Shape,
    Typing, label, list, metadata::failed,
};

#[derive(Debug)]
pub(super) struct IfElse;

const FIELDS: &[Field] = &[
    Field::optional("condition", Kind::Expression, "chooses the label `true` or `false`"),
    Field::optional("cases", Kind::Cases, "a list of {label, when}: the first whose `when` holds is chosen"),
    Field::optional(
        "default",
        Kind::Word,
        "the label chosen when no case holds; without it, no edge is live",
    ),
];

impl NodeType for IfElse {
    fn name(&self) -> &'static str {
        "if_else"
    }

    fn group(&self) -> Group {
        Group::Control
    }

    fn about(&self) -> About {
        About {
            label: "If / else",
            help: "Chooses by a condition, or by the first of some cases that holds, which edges are live.",
            example: r#"{"condition": "{{ input.total > 50 }}"}"#,
        }
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        typing.input()
    }

    fn check(&self, metadata: &Map<String, Value>) -> Vec<Problem> {
        let has = |name| metadata.contains_key(name);
        let mut problems = Vec::new();
        if has("condition") && has("cases") {
            let message = "give either `condition` or `cases`";
            problems.push(Problem::new("/cases", "conflicting_fields", message));
        }
        if !has("condition") && !has("cases") {
            problems.push(Problem::new("/condition", "missing_field", "give a `condition` or `cases`"));
        }
        if has("condition") && has("default") {
            problems.push(Problem::new("/default", "conflicting_fields", "`default` belongs to `cases`"));
        }
        let default = metadata.get("default").and_then(Value::as_str);
        problems.extend(default.and_then(|default| label::problem_of(default, "/default")));
        problems
    }

    fn rules(&self) -> Value {
        json!({
            "oneOf": [
                { "required": ["condition"], "properties": { "cases": false, "default": false } },
                { "required": ["cases"], "properties": { "condition": false } },
            ],
            "properties": { "default": { "maxLength": 63, "not": { "const": ERROR } } },
        })
    }

    fn labels(&self, metadata: &Map<String, Value>) -> Labels {
        let Some(cases) = metadata.get("cases").and_then(Value::as_array) else {
            return Labels::Choice(vec!["true".into(), "false".into()]);
        };
        let labels = cases.iter().filter_map(|case| case.get("label")).chain(metadata.get("default"));
        Labels::Choice(labels.filter_map(Value::as_str).map(str::to_owned).collect())
    }

    fn as_pure(&self) -> Option<&dyn Pure> {
        Some(self)
    }
}

impl Pure for IfElse {
    fn evaluate(&self, metadata: &Metadata, context: &Context<'_>) -> Result<Output, Failure> {
        let label = if metadata.has("condition") {
            let holds = list::is_true(metadata.value("condition", &context.scope())?.as_ref());
            Some(holds.to_string())
        } else {
            choose(metadata, context)?
        };
        Ok(Output { label, ..context.input.clone().into() })
    }
}

fn choose(metadata: &Metadata, context: &Context<'_>) -> Result<Option<String>, Failure> {
    let scope = context.scope();
    for (label, when) in metadata.choices("cases") {
        let value = when.evaluate(&scope).map_err(|error| failed(format_args!("case `{label}`"), &error))?;
        if list::is_true(value.as_ref()) {
            return Ok(Some(label.clone()));
        }
    }
    Ok(metadata.plain("default").and_then(Value::as_str).map(str::to_owned))
}
