//! `filter`: the items that pass a condition.

use domain::Failure;
use serde_json::Value;

use super::{About, Context, Field, Group, Kind, Metadata, NodeType, Output, Pure, Shape, Typing, list};

#[derive(Debug)]
pub(super) struct Filter;

const FIELDS: &[Field] = &[
    Field::required("items", Kind::Expression, "the list"),
    Field::required("condition", Kind::Expression, "whether an item stays; sees `item` and `index`"),
];

impl NodeType for Filter {
    fn name(&self) -> &'static str {
        "filter"
    }

    fn group(&self) -> Group {
        Group::Control
    }

    fn about(&self) -> About {
        About {
            label: "Filter",
            help: "Keeps the items of a list that pass a condition.",
            example: r#"{"items": "{{ input.orders }}", "condition": "{{ item.total > 50 }}"}"#,
        }
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn plan(&self, typing: &mut Typing<'_>) -> Shape {
        let items = typing.items();
        typing.value_for_each("condition", items.items());
        Shape::list_of(items.items(), 0, items.item_bounds().1)
    }

    fn as_pure(&self) -> Option<&dyn Pure> {
        Some(self)
    }
}

impl Pure for Filter {
    fn evaluate(&self, metadata: &Metadata, context: &Context<'_>) -> Result<Output, Failure> {
        let scope = context.scope();
        let items = list::items(metadata, "items", &scope)?;
        let scope = scope.clone();
        let passes = |(i, item)| {
            let value = metadata.value("condition", &scope.with_item(item, i));
            value.map(|value| list::is_true(value.as_ref())).map_err(|failure| list::at(i, failure))
        };
        let passes = items.iter().enumerate().map(passes).collect::<Result<Vec<_>, _>>()?;
        let kept =
            items.into_iter().zip(passes).filter_map(|(item, passes)| passes.then_some(item)).collect();
        Ok(Value::Array(kept).into())
    }
}
