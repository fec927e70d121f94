//! The default engine: `jsonata-core`, with what its own limits leave open closed by [`rewrite`].

mod builtins;
mod checks;
mod convert;
mod distinct;
mod hosts;
mod infer;
mod meter;
mod reads;
mod rewrite;

use std::{collections::BTreeSet, rc::Rc};

use jsonata_core::{
    ast::AstNode,
    evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions},
    parser::{self, ParserError},
    value::JValue,
};
use serde_json::{Map, Value};

pub(super) use self::{convert::Converted, infer::infer, reads::reads};
use self::{
    hosts::{Host, Session},
    meter::shallow,
};
use super::{Entropy, ExprError, limits, scan};

/// Variables that an expression sees from outside.
type Globals = Rc<[(String, JValue)]>;

/// A parsed expression, rewritten to report what it builds.
#[derive(Debug)]
pub(super) struct Program {
    ast: AstNode,
    hosts: BTreeSet<Host>,
}

impl Program {
    /// Parses plain JSONata; the size was checked.
    pub(super) fn parse(source: &str) -> Result<Self, ExprError> {
        let ast = parser::parse(source).map_err(|error| locate(source, &error))?;
        let mut hosts = BTreeSet::new();
        let ast = rewrite::rewrite(ast, &mut hosts)?;
        Ok(Self { ast, hosts })
    }

    /// Evaluates over `input` and friends, which are also variables (`$input`), since inside a predicate or a step a
    /// plain name means a field of the current item.
    pub(super) fn evaluate(
        &self,
        scope: &[(&str, Converted)],
        entropy: &Entropy,
    ) -> Result<Option<Value>, ExprError> {
        let globals: Globals =
            scope.iter().map(|(name, converted)| ((*name).to_owned(), converted.value.clone())).collect();
        let root = JValue::object(globals.iter().cloned().collect());
        let weight = scope.iter().map(|(_, converted)| converted.weight).sum();
        let longest = scope.iter().map(|(_, converted)| converted.longest).max().unwrap_or(0);
        self.start(&root, globals, weight, longest, entropy)
    }

    /// Evaluates over any data, as JSONata defines it.
    pub(super) fn evaluate_data(
        &self,
        data: Option<&Value>,
        bindings: &Map<String, Value>,
        entropy: &Entropy,
    ) -> Result<Option<Value>, ExprError> {
        if let Some(name) = bindings.keys().find(|name| builtins::guard(name).is_some()) {
            return Err(builtins::reserved(name));
        }
        let data = data.map(convert::from_json);
        let mut weight = data.as_ref().map_or(0, |data| data.weight);
        let mut longest = data.as_ref().map_or(0, |data| data.longest);
        let globals = bindings.iter().map(|(name, value)| {
            let converted = convert::from_json(value);
            weight += converted.weight;
            longest = longest.max(converted.longest);
            (name.clone(), converted.value)
        });
        let globals: Globals = globals.collect();
        let data = data.map_or(JValue::Undefined, |data| data.value);
        self.start(&data, globals, weight, longest, entropy)
    }

    fn start(
        &self,
        data: &JValue,
        globals: Globals,
        weight: u64,
        longest: usize,
        entropy: &Entropy,
    ) -> Result<Option<Value>, ExprError> {
        let sequence = limits::SEQUENCE.max(2 * longest);
        let session = Session::new(globals, sequence, weight, entropy);
        let value = self.run(data, &session, limits::MILLIS)?;
        session.check(&value)?;
        convert::to_json(&value)
    }

    fn run(&self, data: &JValue, session: &Rc<Session>, millis: u64) -> Result<JValue, ExprError> {
        let mut context = Context::new();
        for (name, value) in session.globals().iter() {
            context.bind(name.clone(), value.clone());
        }
        let options = EvaluatorOptions {
            timeout_ms: Some(millis),
            max_stack_depth: Some(limits::DEPTH),
            max_sequence_length: Some(session.sequence()),
            cancel: None,
        };
        let mut evaluator = Evaluator::with_options(context, options);
        let outcome = session
            .register(&mut evaluator, self.hosts.iter().copied())
            .and_then(|()| evaluator.evaluate(&self.ast, data));
        outcome.map_err(|error| session.take_refusal().unwrap_or_else(|| failure(&error)))
    }

    /// Variables that are neither bound in the expression nor built in.
    fn free_variables(&self) -> impl Iterator<Item = String> {
        let (mut bound, mut used) = (BTreeSet::new(), BTreeSet::new());
        builtins::visit(&self.ast, &mut |node| {
            builtins::bound_names(node, &mut bound);
            if let AstNode::Lambda { params, .. } = node {
                bound.extend(params.iter().cloned());
            }
            if let AstNode::Variable(name) | AstNode::Function { name, is_builtin: true, .. } = node {
                used.insert(name.clone());
            }
        });
        used.into_iter().filter(move |name| {
            !(name.is_empty()
                || name.starts_with("heddle:")
                || bound.contains(name)
                || builtins::exists(name))
        })
    }
}

/// A value with its weight, for a scope.
pub(super) fn convert(json: &Value) -> Converted {
    convert::from_json(json)
}

/// An item's index, for a scope.
#[expect(clippy::cast_precision_loss, reason = "no list is that long")]
pub(super) fn index(index: usize) -> Converted {
    let value = JValue::Number(index as f64);
    Converted { weight: shallow(&value), value, longest: 0 }
}

fn failure(error: &EvaluatorError) -> ExprError {
    ExprError::from_coded(error.message(), "failed")
}

/// The parser says what is wrong but not where. A prefix of the expression either could go on (its end is what the parser
/// misses) or already holds the mistake, so the first prefix of the second kind ends with the token at fault.
fn locate(source: &str, error: &ParserError) -> ExprError {
    let found = refusal(error);
    if found.code == "too_deep" {
        return found;
    }
    let tokens = match scan::tokens(source) {
        Ok(tokens) => tokens,
        Err(unclosed) => return unclosed,
    };
    if misses_end(error) {
        return found.at_byte(source, source.trim_end().len());
    }
    let at_fault = tokens.partition_point(|token| match parser::parse(&source[..token.end()]) {
        Ok(_) => true,
        Err(error) => misses_end(&error),
    });
    let byte = tokens.get(at_fault).map_or(source.len(), |token| token.start);
    found.at_byte(source, byte)
}

fn misses_end(error: &ParserError) -> bool {
    match error {
        ParserError::UnexpectedEnd
        | ParserError::UnclosedString
        | ParserError::UnclosedComment
        | ParserError::UnclosedBacktick => true,
        ParserError::UnexpectedToken(found) | ParserError::Expected { found, .. } => found == "Eof",
        ParserError::InvalidSyntax(message) => message.contains("Eof"),
        ParserError::InvalidNumber(_) | ParserError::InvalidEscape(_) | ParserError::Coded { .. } => false,
    }
}

fn refusal(error: &ParserError) -> ExprError {
    let otherwise = match error {
        ParserError::InvalidNumber(_) => "S0102",
        ParserError::UnclosedComment => "S0106",
        _ => "S0201",
    };
    ExprError::from_coded(&error.to_string(), otherwise)
}
