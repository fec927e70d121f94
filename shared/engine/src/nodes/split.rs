//! `split`: named parts for labelled edges, or a list cut into batches.

use domain::Failure;
use serde_json::{Map, Value, json};

use super::{
    About, Budget, Context, Field, Group, Kind, Labels, MAX_ITEMS, Metadata, NodeType, Output, Problem, Pure,
    Shape, Typing, list, metadata::failed,
};

#[derive(Debug)]
pub(super) struct Split;

#[allow(clippy::cast_possible_wrap)] // 100,000 fits.
const FIELDS: &[Field] = &[
    Field::optional(
        "parts",
        Kind::Parts,
        "an object of expressions: the edge with that label hands on that part",
    ),
    Field::optional("items", Kind::Expression, "the list to cut into batches"),
    Field::optional(
        "batch_size",
        Kind::Integer { min: 1, max: MAX_ITEMS as i64 },
        "items per batch; the last has the rest",
    ),
];

impl NodeType for Split {
    fn name(&self) -> &'static str {
        "split"
    }

    fn group(&self) -> Group {
        Group::Control
    }

    fn about(&self) -> About {
        About {
            label: "Split",
            help: "Cuts a list into batches, or hands named parts to its edges.",
            example: r#"{"items": "{{ input.rows }}", "batch_size": 100}"#,
        }
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        if typing.metadata().has("parts") {
            return Shape::object(
                typing.choices("parts").into_iter().map(|(label, part)| (label, part.settled())),
            );
        }
        let item = typing.items().items();
        Shape::list(Shape::list_of(item, 1, None))
    }

    fn check(&self, metadata: &Map<String, Value>) -> Vec<Problem> {
        let has = |name| metadata.contains_key(name);
        match (has("parts"), has("items"), has("batch_size")) {
            (true, false, false) | (false, true, true) => Vec::new(),
            (true, ..) => vec![Problem::new(
                "/parts",
                "conflicting_fields",
                "give either `parts`, or `items` and `batch_size`",
            )],
            (false, true, false) => {
                vec![Problem::new("/batch_size", "missing_field", "`items` need a `batch_size`")]
            }
            (false, false, true) => {
                vec![Problem::new("/items", "missing_field", "`batch_size` needs `items`")]
            }
            (false, false, false) => {
                vec![Problem::new("/parts", "missing_field", "give `parts`, or `items` and `batch_size`")]
            }
        }
    }

    fn rules(&self) -> Value {
        json!({
            "oneOf": [
                { "required": ["parts"], "properties": { "items": false, "batch_size": false } },
                { "required": ["items", "batch_size"], "properties": { "parts": false } },
            ],
        })
    }

    fn labels(&self, metadata: &Map<String, Value>) -> Labels {
        match metadata.get("parts").and_then(Value::as_object) {
            Some(parts) => Labels::Parts(parts.keys().cloned().collect()),
            None => Labels::None,
        }
    }

    fn as_pure(&self) -> Option<&dyn Pure> {
        Some(self)
    }
}

impl Pure for Split {
    /// A missing part is null, so that the output always has every label.
    fn evaluate(&self, metadata: &Metadata, context: &Context<'_>) -> Result<Output, Failure> {
        if metadata.has("parts") { parts(metadata, context) } else { batches(metadata, context) }
    }
}

fn parts(metadata: &Metadata, context: &Context<'_>) -> Result<Output, Failure> {
    let scope = context.scope();
    let mut budget = Budget::default();
    let mut parts = Map::new();
    for (label, expr) in metadata.choices("parts") {
        let part = expr.evaluate(&scope).map_err(|error| failed(format_args!("part `{label}`"), &error))?;
        let part = part.unwrap_or_default();
        budget.add(&part)?;
        parts.insert(label.clone(), part);
    }
    Ok(Value::Object(parts).into())
}

fn batches(metadata: &Metadata, context: &Context<'_>) -> Result<Output, Failure> {
    let size =
        metadata.plain("batch_size").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
    let items = list::items(metadata, "items", &context.scope())?;
    let batches = items.chunks(size.unwrap_or(MAX_ITEMS)).map(|batch| Value::Array(batch.to_vec())).collect();
    Ok(Value::Array(batches).into())
}
