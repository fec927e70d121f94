//! Text with `{{ }}` in it, and JSON whose strings are such text.

use serde_json::{Map, Value};

use super::{
    Expr, ExprError, Reads, Scope,
    infer::{Doubt, ShapeScope},
    scan,
};
use crate::{pointer::join, shape::Shape};

/// Text with expressions in `{{ }}`.
///
/// - Text that is exactly one expression gives the expression's value with its JSON type; undefined becomes null.
/// - Otherwise the values become text: strings as they are, other values as compact JSON, undefined as nothing.
/// - Braces that belong to the expression, and those in its strings, regexes, quoted names and comments, don't end it.
/// - `[*]` after a value means every item, as in `{{ input.orders[*].id }}`.
/// - Text that shall hold two braces says `{{ "{{" }}`. A `}}` outside of an expression is plain text.
#[derive(Debug, Clone)]
pub struct Template {
    pub(super) pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
pub(super) enum Piece {
    Text(String),
    Expr(Expr),
}

impl Template {
    /// Parses text. The offset of an error counts the characters of `text`.
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find("{{").map(|found| at + found) {
            if open > at {
                pieces.push(Piece::Text(text[at..open].to_owned()));
            }
            let close = closing(text, open)?;
            let start = text[..open + 2].chars().count();
            let expr = Expr::parse_body(&text[open + 2..close]).map_err(|error| error.shifted(start))?;
            pieces.push(Piece::Expr(Expr { start, ..expr }));
            at = close + 2;
        }
        if at < text.len() {
            pieces.push(Piece::Text(text[at..].to_owned()));
        }
        Ok(Self { pieces })
    }

    /// Evaluates the expressions and puts the value or text together.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Value, ExprError> {
        if let [Piece::Expr(expr)] = self.pieces.as_slice() {
            let value = expr.evaluate(scope).map_err(|error| error.shifted(expr.start))?;
            return Ok(value.unwrap_or(Value::Null));
        }
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Expr(expr) => text.push_str(&part_of(expr, scope)?),
            }
        }
        Ok(Value::String(text))
    }

    /// The text with its secrets left open; None where it names none.
    fn render_open(&self, scope: &Scope<'_>) -> Result<Option<Vec<Part>>, ExprError> {
        if self.exprs().all(|expr| expr.secret().is_none()) {
            return Ok(None);
        }
        let part = |piece: &Piece| match piece {
            Piece::Text(plain) => Ok(Part::Text(plain.clone())),
            Piece::Expr(expr) => match expr.secret() {
                Some(name) => Ok(Part::Secret(name.to_owned())),
                None => part_of(expr, scope).map(Part::Text),
            },
        };
        self.pieces.iter().map(part).collect::<Result<_, _>>().map(Some)
    }

    /// Those of its expressions that name a secret and do something with it, each with its secrets.
    fn worked_secrets(&self) -> impl Iterator<Item = Reads> {
        self.exprs()
            .filter(|expr| expr.secret().is_none())
            .map(Expr::reads)
            .filter(|reads| !reads.secrets.is_empty())
    }

    /// The shape of what it gives.
    fn shape(&self, scope: &ShapeScope, doubts: &mut Vec<Doubt>) -> Shape {
        if let [Piece::Expr(expr)] = self.pieces.as_slice() {
            return expr.shape(scope, doubts).settled();
        }
        for expr in self.exprs() {
            expr.shape(scope, doubts);
        }
        Shape::text()
    }

    /// What the expressions refer to.
    pub fn reads(&self) -> Reads {
        self.exprs().map(Expr::reads).fold(Reads::default(), Reads::and)
    }

    /// The only expression, if it is all there is but for white space.
    pub(super) fn into_single(self) -> Option<Expr> {
        let mut single = None;
        for piece in self.pieces {
            match piece {
                Piece::Text(text) if text.trim().is_empty() => {}
                Piece::Expr(expr) if single.is_none() => single = Some(expr),
                _ => return None,
            }
        }
        single
    }

    pub(super) fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Expr(expr) => Some(expr),
            Piece::Text(_) => None,
        })
    }
}

/// The text that an expression becomes beside other text.
fn part_of(expr: &Expr, scope: &Scope<'_>) -> Result<String, ExprError> {
    defined_part_of(expr, scope).map(Option::unwrap_or_default)
}

/// The same; None where the expression gives undefined.
pub(super) fn defined_part_of(expr: &Expr, scope: &Scope<'_>) -> Result<Option<String>, ExprError> {
    let scope = scope.part(&expr.start.to_string());
    let value = expr.evaluate(&scope).map_err(|error| error.shifted(expr.start))?;
    Ok(value.map(|value| match value {
        Value::String(string) => string,
        other => other.to_string(),
    }))
}

/// A text of evaluated metadata that secrets are still to be put into. The engine never knows what is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithSecrets {
    /// Where the text stands, as JSON Pointer. Until then its place holds what its author wrote: `{{ secret.NAME }}`.
    pub pointer: String,
    /// What it is put together from.
    pub parts: Vec<Part>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A text that is known.
    Text(String),
    /// The secret of this name.
    Secret(String),
}

impl WithSecrets {
    /// The text as it may be shown.
    fn shown(&self) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Secret(name) => format!("{{{{ secret.{name} }}}}"),
        };
        self.parts.iter().map(part).collect()
    }
}

/// The byte offset of the `}}` that closes the `{{` at `open`.
fn closing(text: &str, open: usize) -> Result<usize, ExprError> {
    let unclosed = || ExprError::new("template", "`{{` is not closed by `}}`").at_byte(text, open);
    let mut scanner = scan::Scanner::new(text, open + 2);
    let mut depth = 0_usize;
    while let Some(token) = scanner.next()? {
        match token.text {
            "}" if depth == 0 && text[token.start..].starts_with("}}") => return Ok(token.start),
            "}" if depth == 0 => {
                return Err(ExprError::new("template", "`}` closes nothing").at_byte(text, token.start));
            }
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
    }
    Err(unclosed())
}

/// Any JSON whose strings may hold `{{ }}`. Keys of objects are taken as they are.
#[derive(Debug, Clone)]
pub struct TemplateTree {
    root: Tree,
}

#[derive(Debug, Clone)]
enum Tree {
    /// No expression in here.
    Plain(Value),
    Template(Template),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl TemplateTree {
    /// Parses all strings. All errors at once, each with the JSON pointer of its string.
    pub fn parse(value: &Value) -> Result<Self, Vec<(String, ExprError)>> {
        let mut errors = Vec::new();
        let root = Tree::parse(value, "", &mut errors);
        if errors.is_empty() { Ok(Self { root }) } else { Err(errors) }
    }

    /// Evaluates everything; the first error with the JSON pointer of its string. Undefined becomes null.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Value, (String, ExprError)> {
        self.render_open(scope).map(|(value, _)| value)
    }

    /// As [`render`](Self::render), with the texts that name secrets, each where it stands.
    pub fn render_open(&self, scope: &Scope<'_>) -> Result<(Value, Vec<WithSecrets>), (String, ExprError)> {
        let mut open = Vec::new();
        let value = self.root.render(scope, "", &mut open)?;
        Ok((value, open))
    }

    /// The secrets that an expression does something with, rather than naming them and nothing else; each with the JSON pointer of its string.
    pub fn worked_secrets(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.root.worked_secrets("", &mut found);
        found
    }

    /// The shape of what it gives; each doubt with the JSON pointer of its string.
    pub(crate) fn shape(&self, scope: &ShapeScope, doubts: &mut Vec<(String, Doubt)>) -> Shape {
        self.root.shape(scope, "", doubts)
    }

    /// What the expressions refer to.
    pub fn reads(&self) -> Reads {
        self.root.reads()
    }
}

impl Tree {
    fn parse(value: &Value, pointer: &str, errors: &mut Vec<(String, ExprError)>) -> Self {
        match value {
            Value::String(text) if text.contains("{{") => match Template::parse(text) {
                Ok(template) => Self::Template(template),
                Err(error) => {
                    errors.push((pointer.to_owned(), error));
                    Self::Plain(Value::Null)
                }
            },
            Value::Array(items) => {
                let parse = |(index, item)| Self::parse(item, &join(pointer, index), errors);
                let items: Vec<_> = items.iter().enumerate().map(parse).collect();
                if items.iter().all(Self::is_plain) { Self::Plain(value.clone()) } else { Self::Array(items) }
            }
            Value::Object(map) => {
                let parse =
                    |(key, item): (&String, _)| (key.clone(), Self::parse(item, &join(pointer, key), errors));
                let entries: Vec<_> = map.iter().map(parse).collect();
                let plain = entries.iter().all(|(_, item)| item.is_plain());
                if plain { Self::Plain(value.clone()) } else { Self::Object(entries) }
            }
            plain => Self::Plain(plain.clone()),
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    fn render(
        &self,
        scope: &Scope<'_>,
        pointer: &str,
        open: &mut Vec<WithSecrets>,
    ) -> Result<Value, (String, ExprError)> {
        match self {
            Self::Plain(value) => Ok(value.clone()),
            Self::Template(template) => {
                let (scope, failed) = (scope.part(pointer), |error| (pointer.to_owned(), error));
                let Some(parts) = template.render_open(&scope).map_err(failed)? else {
                    return template.render(&scope).map_err(failed);
                };
                let text = WithSecrets { pointer: pointer.to_owned(), parts };
                let shown = text.shown();
                open.push(text);
                Ok(Value::String(shown))
            }
            Self::Array(items) => {
                let render = |(index, item): (usize, &Self)| item.render(scope, &join(pointer, index), open);
                items.iter().enumerate().map(render).collect::<Result<_, _>>().map(Value::Array)
            }
            Self::Object(entries) => {
                let render = |(key, item): &(String, Self)| {
                    Ok((key.clone(), item.render(scope, &join(pointer, key), open)?))
                };
                entries.iter().map(render).collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
        }
    }

    fn worked_secrets(&self, pointer: &str, found: &mut Vec<(String, String)>) {
        match self {
            Self::Plain(_) => {}
            Self::Template(template) => found.extend(
                template
                    .worked_secrets()
                    .flat_map(|reads| reads.secrets)
                    .map(|secret| (pointer.to_owned(), secret)),
            ),
            Self::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.worked_secrets(&join(pointer, index), found);
                }
            }
            Self::Object(entries) => {
                for (key, item) in entries {
                    item.worked_secrets(&join(pointer, key), found);
                }
            }
        }
    }

    fn shape(&self, scope: &ShapeScope, pointer: &str, doubts: &mut Vec<(String, Doubt)>) -> Shape {
        match self {
            Self::Plain(value) => Shape::of_value(value),
            Self::Template(template) => {
                let mut found = Vec::new();
                let shape = template.shape(scope, &mut found);
                doubts.extend(found.into_iter().map(|doubt| (pointer.to_owned(), doubt)));
                shape
            }
            Self::Array(items) => {
                let shape = |(index, item): (usize, &Self)| item.shape(scope, &join(pointer, index), doubts);
                let shapes: Vec<_> = items.iter().enumerate().map(shape).collect();
                Shape::list_of(Shape::any_of(&shapes), shapes.len(), Some(shapes.len()))
            }
            Self::Object(entries) => Shape::object(
                entries
                    .iter()
                    .map(|(key, item)| (key.clone(), item.shape(scope, &join(pointer, key), doubts))),
            ),
        }
    }

    fn reads(&self) -> Reads {
        match self {
            Self::Plain(_) => Reads::default(),
            Self::Template(template) => template.reads(),
            Self::Array(items) => items.iter().map(Self::reads).fold(Reads::default(), Reads::and),
            Self::Object(entries) => {
                entries.iter().map(|(_, item)| item.reads()).fold(Reads::default(), Reads::and)
            }
        }
    }
}
