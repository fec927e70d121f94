//! Functions that the interpreter calls back: the meter's wrappers, checks of arguments, time and chance.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use jsonata_core::{
    evaluator::{Evaluator, EvaluatorError},
    value::JValue,
};

use super::{
    Globals, Program,
    checks::{check_alone, check_integer, matches, regex_work},
    distinct::distinct,
    meter::{self, Meter, SLOT},
};
use crate::expr::{Entropy, ExprError, entropy::Draws, limits};

/// A function that rewritten expressions call. Those with a colon in the name can't be named by an expression's author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Host {
    /// Counts a value that was built, and hands it on.
    Built,
    /// Counts a list of values that stood there before, and hands it on.
    Gathered,
    /// Counts text that will be copied into a result, and hands it on.
    Piled,
    /// Counts the bindings that a step of `@`, `#` or `%` carries for each item, and hands the items on.
    Tuple,
    /// Counts a function that is kept; the size of its body comes second.
    Closure,
    /// Notes the start of a range.
    RangeFrom,
    /// Checks the size of the range whose start was noted last.
    RangeTo,
    /// Notes an argument.
    Hold,
    /// Checks a built-in's arguments, the last of them given and the others noted.
    Check,
    /// Checks one argument of a built-in.
    Bound,
    /// The context in the place of a left-out first argument, which must be text.
    Context,
    /// Whether a value is a function.
    IsFunction,
    /// `$distinct` in linear time.
    Distinct,
    /// `$eval` under the same guard.
    Eval,
    /// `$clone`, which the interpreter lacks.
    Clone,
    /// `$now` from the entropy.
    Now,
    /// `$millis` from the entropy.
    Millis,
    /// `$random` from the entropy.
    Random,
    /// `$shuffle` from the entropy.
    Shuffle,
}

impl Host {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Built => "heddle:built",
            Self::Gathered => "heddle:gathered",
            Self::Piled => "heddle:piled",
            Self::Tuple => "heddle:tuple",
            Self::Closure => "heddle:closure",
            Self::RangeFrom => "heddle:from",
            Self::RangeTo => "heddle:to",
            Self::Hold => "heddle:hold",
            Self::Check => "heddle:check",
            Self::Bound => "heddle:bound",
            Self::Context => "heddle:context",
            Self::IsFunction => "heddle:is_function",
            Self::Distinct => "heddle:distinct",
            Self::Eval => "heddle:eval",
            Self::Clone => "clone",
            Self::Now => "now",
            Self::Millis => "millis",
            Self::Random => "random",
            Self::Shuffle => "shuffle",
        }
    }

    /// The one that stands in for a built-in of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Clone, Self::Now, Self::Millis, Self::Random, Self::Shuffle]
            .into_iter()
            .find(|host| host.name() == name)
    }
}

/// What the functions share during one evaluation.
pub(super) struct Session {
    meter: Meter,
    sequence: usize,
    held: RefCell<Vec<JValue>>,
    draws: Draws,
    now_text: String,
    now_millis: f64,
    globals: Globals,
    evals: Cell<usize>,
    closures: Cell<usize>,
    /// What a function of ours refused; the interpreter's own error would lose its code.
    refusal: RefCell<Option<ExprError>>,
}

impl Session {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit for 280,000 years")]
    pub(super) fn new(globals: Globals, sequence: usize, scope_weight: u64, entropy: &Entropy) -> Rc<Self> {
        Rc::new(Self {
            meter: Meter::new(scope_weight),
            sequence,
            held: RefCell::default(),
            draws: Draws::new(entropy),
            now_text: entropy.now_text(),
            now_millis: entropy.now.timestamp_millis() as f64,
            globals,
            evals: Cell::default(),
            closures: Cell::default(),
            refusal: RefCell::default(),
        })
    }

    pub(super) fn globals(&self) -> &Globals {
        &self.globals
    }

    pub(super) fn sequence(&self) -> usize {
        self.sequence
    }

    pub(super) fn check(&self, value: &JValue) -> Result<(), ExprError> {
        self.meter.check(value)
    }

    pub(super) fn take_refusal(&self) -> Option<ExprError> {
        self.refusal.borrow_mut().take()
    }

    /// Makes the functions known to an evaluator.
    pub(super) fn register(
        self: &Rc<Self>,
        evaluator: &mut Evaluator,
        hosts: impl IntoIterator<Item = Host>,
    ) -> Result<(), EvaluatorError> {
        hosts.into_iter().try_for_each(|host| {
            let session = Rc::clone(self);
            evaluator.register_fn_override(host.name(), move |args: &[JValue]| {
                session.call(host, args).map_err(|refusal| {
                    let error = EvaluatorError::EvaluationError(refusal.message.clone());
                    session.refusal.borrow_mut().get_or_insert(refusal);
                    error
                })
            })
        })
    }

    fn call(self: &Rc<Self>, host: Host, args: &[JValue]) -> Result<JValue, ExprError> {
        let first = args.first().unwrap_or(&JValue::Undefined);
        match host {
            Host::Built if first.is_function() => self.count_closure(first)?,
            Host::Built => self.meter.built(first)?,
            Host::Gathered => self.meter.gathered(first)?,
            Host::Piled => self.meter.spend(meter::shallow(first))?,
            Host::Tuple => {
                const BINDINGS: u64 = 600;
                let items = first.as_array().map_or(1, Vec::len);
                self.meter.spend(BINDINGS * items as u64)?;
            }
            Host::Closure => {
                const AST_NODE: u64 = 160;
                let nodes = args.get(1).and_then(JValue::as_i64).and_then(|nodes| u64::try_from(nodes).ok());
                self.meter.spend(AST_NODE * nodes.unwrap_or(0))?;
                self.count_closure(first)?;
            }
            Host::RangeFrom | Host::Hold => self.held.borrow_mut().push(first.clone()),
            Host::RangeTo => self.check_range(first)?,
            Host::Check => self.check_together(args)?,
            Host::Bound => check_alone(args.get(1).and_then(JValue::as_str).unwrap_or(""), first)?,
            Host::Context if first.as_str().is_none() => {
                return Err(ExprError::new(
                    "T0410",
                    "the first argument is left out and the context is no text",
                ));
            }
            Host::IsFunction => return Ok(JValue::Bool(first.is_function() && !first.is_regex())),
            Host::Distinct => {
                let value = distinct(args)?;
                self.meter.gathered(&value)?;
                return Ok(value);
            }
            Host::Eval => return self.eval(args),
            Host::Now => return no_arguments("now", args).map(|()| JValue::string(self.now_text.as_str())),
            Host::Millis => return no_arguments("millis", args).map(|()| JValue::Number(self.now_millis)),
            Host::Random => return no_arguments("random", args).map(|()| JValue::Number(self.draws.unit())),
            Host::Shuffle => return self.shuffle(args),
            // Values are never changed in place, so a copy is the value itself.
            Host::Clone | Host::Context => {}
        }
        Ok(first.clone())
    }

    /// Bounds how many functions may hold each other: a long chain of them overflows the stack when it is dropped.
    fn count_closure(&self, function: &JValue) -> Result<(), ExprError> {
        if !holds_functions(function) {
            return Ok(());
        }
        self.closures.set(self.closures.get() + 1);
        if self.closures.get() > limits::CLOSURES {
            return Err(ExprError::new(
                "too_deep",
                "the expression makes too many functions within functions",
            ));
        }
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    fn check_range(&self, to: &JValue) -> Result<(), ExprError> {
        const MOST: f64 = 1e7;
        let from = self.held.borrow_mut().pop();
        let (Some(from), Some(to)) = (from.as_ref().and_then(JValue::as_f64), to.as_f64()) else {
            return Ok(());
        };
        let size = to - from + 1.0;
        if size > MOST || from.abs() > 9e15 || to.abs() > 9e15 {
            return Err(ExprError::new("D2014", "the range has more than ten million numbers"));
        }
        if size > 0.0 { self.meter.spend(SLOT * size as u64) } else { Ok(()) }
    }

    /// The last argument, the name of the built-in, and how many arguments before it were noted.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small count that the rewriter wrote"
    )]
    fn check_together(&self, args: &[JValue]) -> Result<(), ExprError> {
        let [last, name, count] = args else { return Ok(()) };
        let count = count.as_f64().unwrap_or(0.0) as usize;
        let mut held = self.held.borrow_mut();
        let from = held.len().saturating_sub(count);
        let mut args = held.split_off(from);
        args.push(last.clone());
        match (name.as_str().unwrap_or(""), args.as_slice()) {
            ("join", [JValue::Array(items), JValue::String(separator)]) => {
                let text: usize = items.iter().filter_map(JValue::as_str).map(str::len).sum();
                self.meter.may_hold(text.saturating_add(separator.len().saturating_mul(items.len())))
            }
            ("split", [JValue::String(text), separator, ..]) => self.check_parts(text, separator),
            ("match", [JValue::String(text), pattern]) => self.check_parts(text, pattern),
            ("match", [JValue::String(text), pattern, limit]) => match limit.as_f64() {
                Some(limit) if limit <= 1000.0 => regex_work(text, pattern),
                _ => self.check_parts(text, pattern),
            },
            ("contains", [JValue::String(text), pattern]) => regex_work(text, pattern),
            ("formatInteger", [number, JValue::String(picture)]) => check_integer(number, picture),
            ("replace", [JValue::String(text), pattern, replacement, ..]) => {
                self.check_replacement(text, pattern, replacement)
            }
            _ => Ok(()),
        }
    }

    /// Bounds the number of parts that a text falls into.
    fn check_parts(&self, text: &str, pattern: &JValue) -> Result<(), ExprError> {
        regex_work(text, pattern)?;
        if text.len() < self.sequence || matches(text, pattern) < self.sequence {
            return Ok(());
        }
        Err(meter::too_large("the text falls into too many parts"))
    }

    fn check_replacement(&self, text: &str, pattern: &JValue, replacement: &JValue) -> Result<(), ExprError> {
        regex_work(text, pattern)?;
        let replacement = match replacement {
            JValue::String(replacement) => replacement,
            function if function.is_function() => return self.check_parts(text, pattern),
            _ => {
                return Err(ExprError::new(
                    "T0410",
                    "Argument 3 of function replace is neither text nor a function",
                ));
            }
        };
        let mut added = matches(text, pattern).saturating_mul(replacement.len());
        if pattern.is_regex() && replacement.contains('$') {
            added = added.saturating_add(replacement.matches('$').count().saturating_mul(text.len()));
        }
        self.meter.may_hold(text.len().saturating_add(added))
    }

    /// Runs an expression made at run time, rewritten like any other. It sees its context and the scope, but not the
    /// variables of the expression that makes it; naming one is an error rather than a silent nothing.
    fn eval(self: &Rc<Self>, args: &[JValue]) -> Result<JValue, ExprError> {
        let (source, context) = match args {
            [JValue::Undefined, ..] => return Ok(JValue::Undefined),
            [JValue::String(source), context] => (source, context),
            _ => return Err(ExprError::new("T0410", "Argument 1 of function $eval must be a string")),
        };
        let unparsed = |problem: ExprError| {
            let message = format!("The expression passed to $eval cannot be parsed: {}", problem.message);
            if problem.code.starts_with('S') { ExprError::new("D3120", message) } else { problem }
        };
        let program =
            crate::expr::scan::check_size(source).and_then(|()| Program::parse(source)).map_err(unparsed)?;
        let is_global = |name: &String| self.globals.iter().any(|(global, _)| global == name);
        if let Some(name) = program.free_variables().find(|name| !is_global(name)) {
            let message = format!("${name} is not visible inside $eval: pass what it needs as context");
            return Err(ExprError::new("unsupported", message));
        }
        if self.evals.get() >= limits::EVALS {
            return Err(ExprError::new("too_deep", "$eval calls itself too deep"));
        }
        self.evals.set(self.evals.get() + 1);
        let value = program.run(context, self, limits::MILLIS / 2);
        self.evals.set(self.evals.get() - 1);
        value
    }

    fn shuffle(&self, args: &[JValue]) -> Result<JValue, ExprError> {
        match args {
            [JValue::Undefined, ..] => Ok(JValue::Undefined),
            [JValue::Array(items), ..] => {
                let mut items = items.to_vec();
                self.draws.shuffle(&mut items);
                Ok(JValue::array(items))
            }
            [single, ..] => Ok(JValue::array(vec![single.clone()])),
            [] => Err(ExprError::new("T0410", "$shuffle takes an array")),
        }
    }
}

/// Whether a function may hold others: in variables it captured, in the value it was made in, or as a partial application,
/// which does not show what it holds.
fn holds_functions(function: &JValue) -> bool {
    const LOOKED_AT: usize = 100;
    let JValue::Lambda(lambda) = function else { return false };
    let is_partial = lambda.params.first().is_some_and(|param| param.starts_with("__p"));
    let mut left = LOOKED_AT;
    let captured = lambda.captured_env.values().chain(&lambda.captured_data);
    is_partial || captured.into_iter().any(|value| may_hold_functions(value, &mut left))
}

fn may_hold_functions(value: &JValue, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else { return true };
    *left = rest;
    match value {
        JValue::Array(items) => items.iter().any(|item| may_hold_functions(item, left)),
        JValue::Object(map) => map.values().any(|item| may_hold_functions(item, left)),
        other => other.is_lambda(),
    }
}

fn no_arguments(name: &str, args: &[JValue]) -> Result<(), ExprError> {
    if args.is_empty() { Ok(()) } else { Err(ExprError::new("T0410", format!("${name} takes no arguments"))) }
}
