//! `return`: the run's result.

use domain::Failure;

use super::{About, Arity, Context, Field, Group, Kind, Metadata, NodeType, Output, Pure, Shape, Typing};

#[derive(Debug)]
pub(super) struct Return;

const FIELDS: &[Field] = &[Field::optional(
    "output",
    Kind::Template,
    "any JSON with `{{ }}` in its strings; `{{ input }}` if left out",
)
.or_else("\"{{ input }}\"")];

impl NodeType for Return {
    fn name(&self) -> &'static str {
        "return"
    }

    fn group(&self) -> Group {
        Group::Control
    }

    fn about(&self) -> About {
        About {
            label: "Return",
            help: "Ends its branch with the run's result.",
            example: r#"{"output": {"count": "{{ $count(input) }}"}}"#,
        }
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        if typing.metadata().has("output") { typing.value("output") } else { typing.input() }
    }

    fn arity(&self) -> Arity {
        Arity { joins: false, continues: false }
    }

    fn as_pure(&self) -> Option<&dyn Pure> {
        Some(self)
    }
}

impl Pure for Return {
    fn evaluate(&self, metadata: &Metadata, context: &Context<'_>) -> Result<Output, Failure> {
        if !metadata.has("output") {
            return Ok(context.input.clone().into());
        }
        Ok(metadata.value("output", &context.scope())?.unwrap_or_default().into())
    }
}
