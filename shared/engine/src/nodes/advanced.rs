//! `advanced`: a bounded JSONata program over `input` and `base`.

use domain::Failure;

use super::{About, Context, Field, Group, Kind, Metadata, NodeType, Output, Pure, Shape, Typing};

#[derive(Debug)]
pub(super) struct Advanced;

const FIELDS: &[Field] =
    &[Field::required("program", Kind::Expression, "JSONata; its value is the output, null if it has none")];

impl NodeType for Advanced {
    fn name(&self) -> &'static str {
        "advanced"
    }

    fn group(&self) -> Group {
        Group::Control
    }

    fn about(&self) -> About {
        About {
            label: "Program",
            help: "Computes a value by a JSONata program.",
            example: r#"{"program": "{'total': $sum(input.orders.total)}"}"#,
        }
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        typing.value("program")
    }

    fn as_pure(&self) -> Option<&dyn Pure> {
        Some(self)
    }
}

impl Pure for Advanced {
    fn evaluate(&self, metadata: &Metadata, context: &Context<'_>) -> Result<Output, Failure> {
        Ok(metadata.value("program", &context.scope())?.unwrap_or_default().into())
    }
}
