//! The other engine: `jsonata-rs`, behind the feature of the same name.
//!
//! What its guard gives: bounds on length, nesting, depth and time, time and chance from the entropy, and the net for
//! panics (`%` and partial application panic). What it can't give: the time limit does not stop a regex or one long
//! built-in, memory is not bounded, and every evaluation leaks 1.6 to 7 KB, since its arena does not drop what it holds.

use std::{cell::RefCell, collections::HashMap};

use bumpalo::Bump;
use jsonata_rs::{Error, FunctionContext, JsonAta, Value as RsValue};
use serde_json::{Map, Value};

use super::{Entropy, ExprError, entropy::Draws, limits, scan};

/// Its parser and evaluator recurse with large frames, so they get a stack of their own size …
const STACK: usize = 256 << 20;
/// … and shallower bounds than the default engine has.
const OPERATORS: usize = 2_000;
const DEPTH: usize = 1_000;

/// Built-ins that read the clock or draw random numbers, and ours instead. Its own can't be replaced by name.
const REPLACED: [(&str, &str); 3] =
    [("$now", "$heddle_now"), ("$millis", "$heddle_millis"), ("$random", "$heddle_random")];

thread_local! {
    /// Its functions are plain pointers, so they find the entropy here.
    static ENTROPY: RefCell<Option<(Entropy, Draws)>> = const { RefCell::new(None) };
}

/// The expression's text: the engine's tree belongs to an arena, so it is parsed again for each evaluation.
#[derive(Debug)]
pub(super) struct Program {
    source: String,
}

impl Program {
    pub(super) fn parse(source: &str) -> Result<Self, ExprError> {
        let source = replace_names(source)?;
        stacker::grow(STACK, || JsonAta::new(&source, &Bump::new()).map(drop))
            .map_err(|error| failure(&error))?;
        Ok(Self { source })
    }

    pub(super) fn evaluate(&self, scope: &Value, entropy: &Entropy) -> Result<Option<Value>, ExprError> {
        let Value::Object(bindings) = scope else {
            return self.evaluate_data(Some(scope), &Map::new(), entropy);
        };
        self.evaluate_data(Some(scope), bindings, entropy)
    }

    pub(super) fn evaluate_data(
        &self,
        data: Option<&Value>,
        bindings: &Map<String, Value>,
        entropy: &Entropy,
    ) -> Result<Option<Value>, ExprError> {
        ENTROPY.set(Some((entropy.clone(), Draws::new(entropy))));
        stacker::grow(STACK, || self.run(data, bindings))
    }

    fn run(&self, data: Option<&Value>, bindings: &Map<String, Value>) -> Result<Option<Value>, ExprError> {
        let arena = Bump::new();
        let program = JsonAta::new(&self.source, &arena).map_err(|error| failure(&error))?;
        program.register_function("heddle_now", 0, now);
        program.register_function("heddle_millis", 0, millis);
        program.register_function("heddle_random", 0, random);
        let bindings: HashMap<&str, &Value> =
            bindings.iter().map(|(name, value)| (name.as_str(), value)).collect();
        for (name, value) in bindings {
            let text = value.to_string();
            let constant = JsonAta::new(&text, &arena).and_then(|constant| constant.evaluate(None, None));
            program.assign_var(name, constant.map_err(|error| failure(&error))?);
        }
        let data = data.map(Value::to_string);
        let millis = usize::try_from(limits::MILLIS).ok();
        let result = program
            .evaluate_timeboxed(data.as_deref(), Some(DEPTH), millis)
            .map_err(|error| failure(&error))?;
        if result.is_undefined() || result.is_function() {
            return Ok(None);
        }
        let text = result.serialize(false);
        serde_json::from_str(&text)
            .map(whole)
            .map(Some)
            .map_err(|error| ExprError::new("failed", error.to_string()))
    }
}

/// Puts our functions in place of those that read the clock; refuses what would recurse too deep or can't be replayed.
fn replace_names(source: &str) -> Result<String, ExprError> {
    let tokens = scan::tokens(source)?;
    if tokens.iter().filter(|token| token.kind != scan::Kind::Value).count() > OPERATORS {
        return Err(ExprError::new("too_deep", format!("an expression has at most {OPERATORS} operators")));
    }
    let mut text = String::with_capacity(source.len());
    let mut at = 0;
    for token in tokens {
        if token.text == "$uuid" {
            return Err(ExprError::new("unsupported", "$uuid is not JSONata").at_byte(source, token.start));
        }
        if let Some((_, ours)) = REPLACED.iter().find(|(theirs, _)| *theirs == token.text) {
            text.push_str(&source[at..token.start]);
            text.push_str(ours);
            at = token.end();
        }
    }
    text.push_str(&source[at..]);
    Ok(text)
}

/// It prints every number as it holds it, a float; whole ones become integers again.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => {
                Value::from(float as i64)
            }
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(whole).collect(),
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, item)| (key, whole(item))).collect()),
        other => other,
    }
}

fn failure(error: &Error) -> ExprError {
    let text = error.to_string();
    let message = text.split_once(" @ ").map_or(text.as_str(), |(_, message)| message);
    if message.contains("timeout") {
        return ExprError::new("timeout", message);
    }
    ExprError::from_coded(&format!("{}: {message}", error.code()), "failed")
}

/// The signature that its functions must have.
type Native<'a> = jsonata_rs::Result<&'a RsValue<'a>>;

fn with_entropy<T>(f: impl FnOnce(&Entropy, &Draws) -> T) -> Option<T> {
    ENTROPY.with_borrow(|entropy| entropy.as_ref().map(|(entropy, draws)| f(entropy, draws)))
}

#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "see Native")]
fn now<'a>(context: FunctionContext<'a, '_>, _: &[&'a RsValue<'a>]) -> Native<'a> {
    Ok(RsValue::string(context.arena, &with_entropy(|entropy, _| entropy.now_text()).unwrap_or_default()))
}

#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "see Native")]
#[expect(clippy::cast_precision_loss, reason = "milliseconds fit for 280,000 years")]
fn millis<'a>(context: FunctionContext<'a, '_>, _: &[&'a RsValue<'a>]) -> Native<'a> {
    let millis = with_entropy(|entropy, _| entropy.now.timestamp_millis() as f64);
    Ok(RsValue::number(context.arena, millis.unwrap_or_default()))
}

#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "see Native")]
fn random<'a>(context: FunctionContext<'a, '_>, _: &[&'a RsValue<'a>]) -> Native<'a> {
    Ok(RsValue::number(context.arena, with_entropy(|_, draws| draws.unit()).unwrap_or_default()))
}
