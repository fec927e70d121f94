//! What a node type is asked with when it says what it gives.

use super::contradiction::contradiction;
use crate::{
    expr::infer::{Doubt, ShapeScope},
    nodes::{Control, Metadata, NodeType},
    shape::Shape,
};

/// A node's metadata, and what is known of what its expressions see. Every field is looked at once, by the type or after it; what in it
/// can't be meant is kept.
pub struct Typing<'a> {
    metadata: &'a Metadata,
    scope: ShapeScope,
    seen: Vec<&'a str>,
    found: Vec<(String, Doubt)>,
    items: Option<Shape>,
    /// What the body of a `for_each` comes to for any item.
    pub(super) body: Option<Shape>,
    /// What the run that the node starts takes and gives, where that is known.
    pub(super) run: Option<(Shape, Shape)>,
}

impl std::fmt::Debug for Typing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Typing").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl<'a> Typing<'a> {
    pub(crate) fn new(metadata: &'a Metadata, scope: ShapeScope) -> Self {
        Self { metadata, scope, seen: Vec::new(), found: Vec::new(), items: None, body: None, run: None }
    }

    /// The metadata, for fields that are taken as they are.
    pub(crate) fn metadata(&self) -> &'a Metadata {
        self.metadata
    }

    /// What the node sees as `input`.
    pub(crate) fn input(&self) -> Shape {
        self.scope.input.clone()
    }

    /// The value of an expression or template; nothing where the field is left out.
    pub(crate) fn value(&mut self, name: &'a str) -> Shape {
        self.value_in(name, &self.scope.clone())
    }

    /// Its value for each item of a list.
    pub(crate) fn value_for_each(&mut self, name: &'a str, item: Shape) -> Shape {
        let scope = ShapeScope { item: Some(item), ..self.scope.clone() };
        self.value_in(name, &scope)
    }

    fn value_in(&mut self, name: &'a str, scope: &ShapeScope) -> Shape {
        self.seen.push(name);
        self.metadata.shape(name, scope, &mut self.found).unwrap_or_else(Shape::missing)
    }

    /// The labelled values of a field.
    pub(crate) fn choices(&mut self, name: &'a str) -> Vec<(String, Shape)> {
        self.seen.push(name);
        self.metadata.choice_shapes(name, &self.scope, &mut self.found)
    }

    /// The list in the field `items`. Anything else is walked as its only item, which is hardly what is meant.
    pub(crate) fn items(&mut self) -> Shape {
        if let Some(items) = &self.items {
            return items.clone();
        }
        let items = self.value("items");
        if !items.any && items.list.is_none() && !items.is_empty() && !items.null {
            let hint = items.object.as_ref().and_then(|object| {
                let (name, _) = object.fields.iter().find(|(_, field)| !field.any && field.list.is_some())?;
                Some(format!(". Its `{name}` is a list"))
            });
            let shape = items.clone().present();
            let message = format!("`items` should be a list, but it is {shape}{}", hint.unwrap_or_default());
            self.doubt("items", "not_a_list", message, false);
        }
        self.items = Some(items.clone());
        items
    }

    /// A field whose value must be a text, or a number, for the node to succeed.
    pub(crate) fn must_be(&mut self, name: &'a str, wanted: &Shape) {
        if !self.metadata.has(name) {
            return;
        }
        let value = self.value(name);
        let is_null = value.null || value.missing;
        if !is_null && !value.is_empty() && !value.overlaps(wanted) {
            self.doubt(name, "wrong_kind", format!("`{name}` must be {wanted}, but it is {value}"), true);
        }
    }

    /// What the body comes to.
    pub(crate) fn body(&self) -> Shape {
        self.body.clone().unwrap_or_else(Shape::any)
    }

    /// What the run that the node starts gives. What it is started with, in the field `input` or as this node's input, is checked.
    pub(crate) fn run(&mut self) -> Shape {
        let inputs = if self.metadata.has("input") { self.value("input") } else { self.input() };
        let Some((takes, gives)) = self.run.clone() else { return Shape::any() };
        if let Some(found) = contradiction(&inputs.settled(), &takes) {
            let message = format!("the workflow does not take these inputs: {}", found.message);
            self.doubt("input", "wrong_inputs", message, found.is_sure);
        }
        gives
    }

    fn doubt(&mut self, name: &str, code: &'static str, message: String, is_sure: bool) {
        self.found.push((format!("/{name}"), Doubt { code, message, is_sure, offset: None }));
    }

    /// What a `for_each` works on.
    pub(super) fn items_of(&mut self, node_type: &dyn NodeType) -> Shape {
        if node_type.control() == Some(Control::ForEach) { self.items() } else { Shape::missing() }
    }

    /// Looks at the fields that the type did not ask for; all that was found.
    pub(super) fn finish(mut self) -> Vec<(String, Doubt)> {
        let fields: Vec<_> = self.metadata.reads().map(|(field, _)| field.name).collect();
        for name in fields.into_iter().filter(|name| !self.seen.contains(name)).collect::<Vec<_>>() {
            self.value(name);
            self.choices(name);
        }
        self.found
    }
}
