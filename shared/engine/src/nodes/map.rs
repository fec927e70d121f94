//! `map`: a new shape for each item, or for the input as a whole.

use domain::Failure;
use serde_json::Value;

use super::{
    About, Budget, Context, Field, Group, Kind, Metadata, NodeType, Output, Pure, Shape, Typing, list,
};

#[derive(Debug)]
pub(super) struct MapItems;

const FIELDS: &[Field] = &[
    Field::required("mapping", Kind::Template, "the new shape: any JSON with `{{ }}` in its strings"),
    Field::optional("items", Kind::Expression, "the list to map; the mapping then sees `item` and `index`"),
];

impl NodeType for MapItems {
    fn name(&self) -> &'static str {
        "map"
    }

    fn group(&self) -> Group {
        Group::Control
    }

    fn about(&self) -> About {
        About {
            label: "Map",
            help: "Gives each item of a list, or its input as a whole, a new shape.",
            example: r#"{"items": "{{ input.orders }}", "mapping": {"id": "{{ item.id }}", "label": "No. {{ index + 1 }}"}}"#,
        }
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        if !typing.metadata().has("items") {
            return typing.value("mapping");
        }
        let items = typing.items();
        let (least, most) = items.item_bounds();
        Shape::list_of(typing.value_for_each("mapping", items.items()).settled(), least, most)
    }

    fn as_pure(&self) -> Option<&dyn Pure> {
        Some(self)
    }
}

impl Pure for MapItems {
    fn evaluate(&self, metadata: &Metadata, context: &Context<'_>) -> Result<Output, Failure> {
        let scope = context.scope();
        if !metadata.has("items") {
            return Ok(metadata.value("mapping", &scope)?.unwrap_or_default().into());
        }
        let items = list::items(metadata, "items", &scope)?;
        let scope = scope.clone();
        let mut budget = Budget::default();
        let mut mapped = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let value = metadata
                .value("mapping", &scope.with_item(item, i))
                .map_err(|failure| list::at(i, failure))?;
            let value = value.unwrap_or_default();
            budget.add(&value)?;
            mapped.push(value);
        }
        Ok(Value::Array(mapped).into())
    }
}
