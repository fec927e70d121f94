//! Expressions: `{{ }}` templates with JSONata inside, behind one guard.
//!
//! [`Expr`] is one expression, [`Template`] is text with expressions in it, [`TemplateTree`] is JSON whose strings are
//! templates. All are parsed once, are cheap to clone and may be shared between threads; they are evaluated against a
//! [`Scope`], which belongs to one thread.
//!
//! **No expression crashes, hangs or fills the process.** What is checked before parsing: length and nesting. While
//! evaluating: wall time, depth, length of sequences, weight of values and of all that is built, and the arguments of
//! built-ins that could run away. Around everything: a net for panics. A bound that is hit is an [`ExprError`] like any
//! other; the numbers stand in `limits.rs`.
//!
//! **Same inputs, same value.** `$now`, `$millis`, `$random` and `$shuffle` come from the [`Entropy`] of the scope. Only the
//! wall-time bound looks at a clock, and it gives an error or nothing.
//!
//! Differences from JSONata as others run it: `$eval` does not see the variables of the expression around it; the
//! built-ins that the guard holds (`$pad`, `$replace`, `$now` and a dozen others) can't be rebound; a function that is the
//! result is undefined. Numbers are 64-bit floats, but an expression that only names a value, such as `input.id`, hands it
//! on untouched.

mod engine;
mod entropy;
mod error;
pub(crate) mod infer;
mod jsonata_core;
#[cfg(feature = "jsonata-rs")]
mod jsonata_rs;
mod limits;
mod preview;
mod scan;
mod scope;
mod template;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value};

use self::engine::Program;
pub use self::{
    engine::Engine,
    entropy::Entropy,
    error::ExprError,
    preview::{Preview, Unfilled},
    scope::Scope,
    template::{Part, Template, TemplateTree, WithSecrets},
};

/// One parsed JSONata expression.
#[derive(Debug, Clone)]
pub struct Expr {
    parsed: Arc<Parsed>,
    /// Where it begins in the text that it was read from, in characters.
    start: usize,
}

#[derive(Debug)]
struct Parsed {
    source: String,
    program: Program,
    /// The names of a path that only names a value (`input.order.id`).
    plain: Option<Vec<String>>,
    /// The secret that `secret.NAME` stands for, if that is all there is.
    secret: Option<String>,
}

/// What an expression refers to, as far as its text tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Keys of nodes whose outputs it names (`base.nodes.KEY`).
    pub nodes: BTreeSet<String>,
    /// Whether it may read the output of any node, since it uses `base` in a way that does not say which.
    pub all: bool,
    /// Names of secrets (`secret.NAME`).
    pub secrets: BTreeSet<String>,
    /// Whether its value may differ from run to run with the same inputs: it looks at the time, at chance, or at who runs it.
    pub moment: bool,
}

impl Reads {
    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.nodes.extend(other.nodes);
        self.all |= other.all;
        self.secrets.extend(other.secrets);
        self.moment |= other.moment;
        self
    }
}

impl Expr {
    /// Parses plain JSONata with the default engine.
    pub fn parse(source: &str) -> Result<Self, ExprError> {
        Self::parse_with(Engine::default(), source)
    }

    /// Parses plain JSONata with the engine of one's choice.
    pub fn parse_with(engine: Engine, source: &str) -> Result<Self, ExprError> {
        scan::check_size(source)?;
        let program = limits::caught(|| engine.parse(source))?;
        let (plain, secret) = (plain_path(source), only_secret(source));
        let parsed = Parsed { source: source.to_owned(), program, plain, secret };
        Ok(Self { parsed: Arc::new(parsed), start: 0 })
    }

    /// Parses a field that holds one expression, with or without `{{ }}` around it. `[*]` means every item, as in a
    /// [`Template`]. The offset of an error counts the characters of `text`.
    pub fn parse_field(text: &str) -> Result<Self, ExprError> {
        if !text.trim_start().starts_with("{{") {
            return Self::parse_body(text);
        }
        match Template::parse(text)?.into_single() {
            Some(expr) => Ok(expr),
            None => {
                Err(ExprError::new("template", "here stands one expression, with nothing before or after it"))
            }
        }
    }

    /// Parses what stands between `{{` and `}}`.
    fn parse_body(text: &str) -> Result<Self, ExprError> {
        scan::check_size(text)?;
        Self::parse(&scan::star_to_every(text))
    }

    /// The expression's text.
    pub fn source(&self) -> &str {
        &self.parsed.source
    }

    /// The name of the secret, of an expression that is `secret.NAME` and nothing else.
    pub fn secret(&self) -> Option<&str> {
        self.parsed.secret.as_deref()
    }

    /// Evaluates; None is JSONata's undefined.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Option<Value>, ExprError> {
        match self.parsed.plain.as_deref().map(|path| pick(path, scope)) {
            Some(Picked::Found(value)) => Ok(Some(value.clone())),
            Some(Picked::Missing) => Ok(None),
            Some(Picked::List) | None => limits::caught(|| self.parsed.program.evaluate(scope)),
        }
    }

    /// Evaluates over any data with `$`-variables from `bindings`, as JSONata itself does.
    pub fn evaluate_data(
        &self,
        data: Option<&Value>,
        bindings: &Map<String, Value>,
        entropy: &Entropy,
    ) -> Result<Option<Value>, ExprError> {
        limits::caught(|| self.parsed.program.evaluate_data(data, bindings, entropy))
    }

    /// What the expression refers to.
    pub fn reads(&self) -> Reads {
        jsonata_core::reads(self.source())
    }
}

/// The names of `input.order.id`, if that is all there is.
fn plain_path(source: &str) -> Option<Vec<String>> {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && !matches!(text, "and" | "or" | "in" | "true" | "false" | "null" | "function" | "undefined")
    };
    let tokens = scan::tokens(source).ok()?;
    let alternating = tokens.iter().enumerate().all(|(index, token)| match index % 2 {
        0 => is_name(token.text),
        _ => token.text == ".",
    });
    let starts_in_scope = tokens.first().is_some_and(|first| matches!(first.text, "input" | "base" | "item"));
    (alternating && starts_in_scope && tokens.len() % 2 == 1)
        .then(|| tokens.iter().step_by(2).map(|token| token.text.to_owned()).collect())
}

/// The `NAME` of `secret.NAME`.
fn only_secret(source: &str) -> Option<String> {
    let tokens = scan::tokens(source).ok()?;
    let [root, dot, name] = tokens.as_slice() else { return None };
    let names = root.text == "secret" && dot.text == "." && is_secret_name(name.text);
    names.then(|| name.text.to_owned())
}

/// What a secret may be called: a letter, then at most 63 letters, digits and underscores of ASCII.
pub fn is_secret_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What a plain path leads to.
enum Picked<'a> {
    Found(&'a Value),
    Missing,
    /// It leads through a list, which is the interpreter's business.
    List,
}

/// Follows a plain path without an interpreter, which keeps every number as it is and converts nothing.
fn pick<'a>(path: &[String], scope: &Scope<'a>) -> Picked<'a> {
    let mut names = path.iter();
    let Some(mut value) = names.next().and_then(|name| scope.get(name)) else { return Picked::Missing };
    for name in names {
        match value {
            Value::Array(_) => return Picked::List,
            Value::Object(map) if map.contains_key(name) => value = &map[name],
            _ => return Picked::Missing,
        }
    }
    Picked::Found(value)
}
