//! Metadata that was read by a type's table of fields: every expression parsed, ready to be evaluated.

use std::fmt;

use domain::Failure;
use serde_json::{Map, Value};

use super::{Field, Kind, Problem, invalid};
use crate::{
    expr::{
        Expr, ExprError, Reads, Scope, TemplateTree, WithSecrets,
        infer::{Doubt, ShapeScope},
    },
    pointer::join,
    shape::Shape,
};

/// A node's metadata with every expression parsed.
#[derive(Debug, Default)]
pub struct Metadata {
    fields: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    field: &'static Field,
    compiled: Compiled,
    /// Kept, since telling it takes as long as parsing.
    reads: Reads,
}

impl Metadata {
    /// Reads `raw` by a type's table of fields. Fields with problems are left out of the metadata.
    pub fn read(fields: &'static [Field], raw: &Map<String, Value>) -> (Self, Vec<Problem>) {
        let mut metadata = Self::default();
        let mut problems = Vec::new();
        for field in fields {
            match raw.get(field.name) {
                Some(value) => match field.kind.read(value) {
                    Ok(compiled) => {
                        let reads = compiled.reads();
                        metadata.fields.push(Entry { field, compiled, reads });
                    }
                    Err(found) => problems.extend(found.into_iter().map(|mut problem| {
                        problem.pointer = join("", field.name) + &problem.pointer;
                        problem
                    })),
                },
                None if field.required => problems.push(Problem::new(
                    join("", field.name),
                    "missing_field",
                    format!("`{}` is required: {}", field.name, field.help),
                )),
                None => {}
            }
        }
        for name in raw.keys().filter(|name| fields.iter().all(|field| field.name != name.as_str())) {
            let known = fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
            let message = format!("`{name}` is not a field of this node type; it has {known}");
            problems.push(Problem::new(join("", name), "unknown_field", message));
        }
        problems.extend(metadata.misplaced_secrets());
        problems.extend(metadata.worked_secrets());
        (metadata, problems)
    }

    fn misplaced_secrets(&self) -> impl Iterator<Item = Problem> + use<'_> {
        self.reads().filter(|(field, _)| !field.secret).flat_map(|(field, reads)| {
            reads.secrets.iter().map(|name| {
                let message = format!(
                    "`secret.{name}` may only stand in fields for credentials, such as `headers` and `auth`"
                );
                Problem::new(join("", field.name), "secret_not_allowed", message)
            })
        })
    }

    /// A secret is put in where the call is made, by whoever makes it: until then there is nothing that an expression could work with.
    fn worked_secrets(&self) -> impl Iterator<Item = Problem> + use<'_> {
        let trees = self.fields.iter().filter(|entry| entry.field.secret).filter_map(|entry| {
            let Compiled::Tree(tree) = &entry.compiled else { return None };
            Some((entry.field.name, tree))
        });
        trees.flat_map(|(field, tree)| {
            tree.worked_secrets().into_iter().map(move |(pointer, name)| {
                let message = format!(
                    "`secret.{name}` stands alone between its braces; text may stand around them, such as `Bearer {{{{ secret.{name} }}}}`"
                );
                Problem::new(join("", field) + &pointer, "secret_not_alone", message)
            })
        })
    }

    /// What the expressions of each field refer to.
    pub fn reads(&self) -> impl Iterator<Item = (&'static Field, &Reads)> {
        self.fields.iter().map(|entry| (entry.field, &entry.reads))
    }

    /// Whether the author gave this field.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// A field that is taken as it is.
    pub fn plain(&self, name: &str) -> Option<&Value> {
        match self.find(name) {
            Some(Compiled::Plain(value)) => Some(value),
            _ => None,
        }
    }

    /// The value of an expression or template; None where the field is missing or its value is.
    pub fn value(&self, name: &str, scope: &Scope<'_>) -> Result<Option<Value>, Failure> {
        match self.find(name) {
            Some(Compiled::Expression(expr)) => expr.evaluate(scope).map_err(|error| failed(name, &error)),
            Some(Compiled::Tree(tree)) => tree
                .render(scope)
                .map(Some)
                .map_err(|(pointer, error)| failed(format_args!("{name}{pointer}"), &error)),
            Some(Compiled::Plain(value)) => Ok(Some(value.clone())),
            Some(Compiled::Choices(_)) | None => Ok(None),
        }
    }

    /// The labelled expressions of a field of [`Kind::Cases`](super::Kind::Cases) or [`Kind::Parts`](super::Kind::Parts), in their order.
    pub fn choices(&self, name: &str) -> &[(String, Expr)] {
        match self.find(name) {
            Some(Compiled::Choices(choices)) => choices,
            _ => &[],
        }
    }

    /// All fields with their templates evaluated, in the order of the type's table: what a connector gets. With it the texts that secrets are
    /// still to be put into.
    pub fn render(&self, scope: &Scope<'_>) -> Result<(Value, Vec<WithSecrets>), Failure> {
        let (mut config, mut open) = (Map::new(), Vec::new());
        for Entry { field, compiled, reads } in &self.fields {
            let value =
                match compiled {
                    Compiled::Tree(tree) if !reads.secrets.is_empty() => {
                        let rendered = tree.render_open(scope);
                        let (value, texts) = rendered.map_err(|(pointer, error)| {
                            failed(format_args!("{}{pointer}", field.name), &error)
                        })?;
                        open.extend(texts.into_iter().map(|text| WithSecrets {
                            pointer: join("", field.name) + &text.pointer,
                            ..text
                        }));
                        Some(value)
                    }
                    _ => self.value(field.name, scope)?,
                };
            config.extend(value.map(|value| (field.name.to_owned(), value)));
        }
        Ok((Value::Object(config), open))
    }

    /// The shape of a field's value; None where the field is missing. Each doubt comes with a pointer into the metadata.
    pub(crate) fn shape(
        &self,
        name: &str,
        scope: &ShapeScope,
        doubts: &mut Vec<(String, Doubt)>,
    ) -> Option<Shape> {
        let mut found = Vec::new();
        let shape = match self.find(name)? {
            Compiled::Expression(expr) => {
                let mut own = Vec::new();
                let shape = expr.shape(scope, &mut own);
                found.extend(own.into_iter().map(|doubt| (String::new(), doubt)));
                shape
            }
            Compiled::Tree(tree) => tree.shape(scope, &mut found),
            Compiled::Plain(value) => Shape::of_value(value),
            Compiled::Choices(_) => return None,
        };
        doubts.extend(found.into_iter().map(|(pointer, doubt)| (join("", name) + &pointer, doubt)));
        Some(shape)
    }

    /// The shapes of the labelled expressions of a field, in their order.
    pub(crate) fn choice_shapes(
        &self,
        name: &str,
        scope: &ShapeScope,
        doubts: &mut Vec<(String, Doubt)>,
    ) -> Vec<(String, Shape)> {
        let Some(entry) = self.fields.iter().find(|entry| entry.field.name == name) else {
            return Vec::new();
        };
        let shape = |(i, (label, expr)): (usize, &(String, Expr))| {
            let place = match entry.field.kind {
                Kind::Cases => join(&join("", i), "when"),
                _ => join("", label),
            };
            let mut own = Vec::new();
            let shape = expr.shape(scope, &mut own);
            doubts.extend(own.into_iter().map(|doubt| (format!("/{name}{place}"), doubt)));
            (label.clone(), shape)
        };
        self.choices(name).iter().enumerate().map(shape).collect()
    }

    fn find(&self, name: &str) -> Option<&Compiled> {
        self.fields.iter().find(|entry| entry.field.name == name).map(|entry| &entry.compiled)
    }
}

/// The failure of a node whose expression failed; `place` is the field or the label.
pub(super) fn failed(place: impl fmt::Display, error: &ExprError) -> Failure {
    invalid("expression", format!("{place}: {} ({})", error.message, error.code))
}

/// A field that was read.
#[derive(Debug)]
pub(super) enum Compiled {
    Expression(Expr),
    Tree(TemplateTree),
    Choices(Vec<(String, Expr)>),
    Plain(Value),
}

impl Compiled {
    fn reads(&self) -> Reads {
        match self {
            Self::Expression(expr) => expr.reads(),
            Self::Tree(tree) => tree.reads(),
            Self::Choices(choices) => {
                choices.iter().map(|(_, expr)| expr.reads()).fold(Reads::default(), Reads::and)
            }
            Self::Plain(_) => Reads::default(),
        }
    }
}
