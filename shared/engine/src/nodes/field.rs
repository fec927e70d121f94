//! Metadata as a table: which fields a node type has, what each holds, and how it is read.

use std::str::FromStr;

use domain::WorkflowId;
use serde_json::Value;

use super::{label, metadata::Compiled};
use crate::{
    ReferenceKind,
    expr::{Expr, ExprError, TemplateTree},
};

/// One field of a node type's metadata.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in `metadata`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether a node can't do without it.
    pub required: bool,
    /// Whether expressions in it may name secrets.
    pub secret: bool,
    /// What it means, for people.
    pub help: &'static str,
    /// What it is where it is left out, as JSON; empty where nothing stands in its place.
    pub default: &'static str,
}

/// What a field of metadata holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A string: one JSONata expression, with or without `{{ }}` around it.
    Expression,
    /// A string that may hold `{{ }}`.
    Text,
    /// Any JSON whose strings may hold `{{ }}`.
    Template,
    /// An object whose strings may hold `{{ }}`.
    TemplateObject,
    /// A list of `{label, when}`, the first of which whose `when` holds is chosen.
    Cases,
    /// An object of expressions by label.
    Parts,
    /// A whole number in a range.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// True or false.
    Bool,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A string that is taken as it is.
    Word,
    /// The UUID of something in the team, taken as it is.
    Id(ReferenceKind),
    /// Any JSON, taken as it is.
    Json,
}

impl Field {
    /// A field that a node can't do without.
    pub const fn required(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, required: true, secret: false, help, default: "" }
    }

    /// A field that may be left out.
    pub const fn optional(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, required: false, secret: false, help, default: "" }
    }

    /// The same field, which is this JSON where it is left out.
    pub const fn or_else(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    /// The same field, in which expressions may name secrets.
    pub const fn may_hold_secrets(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// One mistake in a node's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// JSON Pointer into the metadata.
    pub pointer: String,
    /// A stable word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// Character offset inside the field, where it is an expression.
    pub offset: Option<usize>,
}

impl Problem {
    pub(crate) fn new(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, message: message.into(), offset: None }
    }

    fn expression(pointer: String, error: &ExprError) -> Self {
        Self {
            pointer,
            code: "expression",
            message: format!("{} ({})", error.message, error.code),
            offset: error.offset,
        }
    }
}

impl Kind {
    /// Reads the value of a field. Problems point into the value.
    pub(super) fn read(self, value: &Value) -> Result<Compiled, Vec<Problem>> {
        let wrong = |code, message: String| Err(vec![Problem::new("", code, message)]);
        match self {
            Self::Expression => {
                expression("", value).map(Compiled::Expression).map_err(|problem| vec![problem])
            }
            Self::Text if !value.is_string() => wrong("wrong_type", "must be a string".into()),
            Self::TemplateObject if !value.is_object() => wrong("wrong_type", "must be an object".into()),
            Self::Text | Self::Template | Self::TemplateObject => {
                TemplateTree::parse(value).map(Compiled::Tree).map_err(|errors| {
                    errors.into_iter().map(|(pointer, error)| Problem::expression(pointer, &error)).collect()
                })
            }
            Self::Cases => label::cases(value).map(Compiled::Choices),
            Self::Parts => label::parts(value).map(Compiled::Choices),
            Self::Integer { min, max } => match value.as_i64() {
                Some(number) if (min..=max).contains(&number) => Ok(Compiled::Plain(value.clone())),
                Some(_) => wrong("out_of_range", format!("must be between {min} and {max}")),
                None => wrong("wrong_type", format!("must be a whole number between {min} and {max}")),
            },
            Self::Bool if value.is_boolean() => Ok(Compiled::Plain(value.clone())),
            Self::Bool => wrong("wrong_type", "must be true or false".into()),
            Self::OneOf(words) => match value.as_str() {
                Some(word) if words.contains(&word) => Ok(Compiled::Plain(value.clone())),
                _ => wrong("wrong_value", format!("must be one of {}", words.join(", "))),
            },
            Self::Word => match value.as_str() {
                Some(word) if !word.is_empty() => Ok(Compiled::Plain(value.clone())),
                _ => wrong("wrong_type", "must be a string that is not empty".into()),
            },
            Self::Id(_) => match value.as_str() {
                Some(id) if is_uuid(id) => Ok(Compiled::Plain(value.clone())),
                _ => wrong("wrong_id", "must be a UUID".into()),
            },
            Self::Json => Ok(Compiled::Plain(value.clone())),
        }
    }
}

/// Parses the expression at `pointer`.
pub(super) fn expression(pointer: &str, value: &Value) -> Result<Expr, Problem> {
    let Some(text) = value.as_str() else {
        return Err(Problem::new(pointer, "wrong_type", "must be a string with an expression"));
    };
    Expr::parse_field(text).map_err(|error| Problem::expression(pointer.to_owned(), &error))
}

/// Whether `text` is a UUID in the usual form with hyphens.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && WorkflowId::from_str(text).is_ok()
}
