//! `merge`: the only type that joins edges. How they are joined decides its input, which is also its output.

use domain::Failure;
use serde_json::{Map, Value};

use super::{About, Arity, Context, Field, Group, Kind, Metadata, NodeType, Output, Pure, Shape, Typing};

#[derive(Debug)]
pub(super) struct Merge;

const FIELDS: &[Field] = &[Field::optional(
    "mode",
    Kind::OneOf(&["object", "append", "any"]),
    "`object`: by the parents' keys; `append`: one list; `any`: the first live parent",
)
.or_else("\"object\"")];

/// How the live edges of a `merge` become its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// An object by the keys of the live parents, in the order of the edges. A parent with several live edges
    /// (a `split`) gives an object by label.
    Object,
    /// One list, in the order of the edges: lists are joined, anything else is one item.
    Append,
    /// What the live parent that comes first in plan order gives.
    Any,
}

impl Mode {
    /// The mode of a `merge` with this metadata.
    pub(crate) fn of(metadata: &Map<String, Value>) -> Self {
        match metadata.get("mode").and_then(Value::as_str) {
            Some("append") => Self::Append,
            Some("any") => Self::Any,
            _ => Self::Object,
        }
    }
}

impl NodeType for Merge {
    fn name(&self) -> &'static str {
        "merge"
    }

    fn group(&self) -> Group {
        Group::Control
    }

    fn about(&self) -> About {
        About { label: "Merge", help: "Joins branches.", example: r#"{"mode": "object"}"# }
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        typing.input()
    }

    fn arity(&self) -> Arity {
        Arity { joins: true, continues: true }
    }

    fn as_pure(&self) -> Option<&dyn Pure> {
        Some(self)
    }
}

impl Pure for Merge {
    fn evaluate(&self, _metadata: &Metadata, context: &Context<'_>) -> Result<Output, Failure> {
        Ok(context.input.clone().into())
    }
}
