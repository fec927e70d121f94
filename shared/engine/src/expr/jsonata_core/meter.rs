//! What an evaluation has built so far, and the bounds on it.
//!
//! The interpreter bounds time, depth and the length of sequences, but not memory: strings that double, arrays of
//! arrays that share their items, ten thousand copies of one list. So [`rewrite`](super::rewrite) makes an expression
//! report what it builds to this meter. Containers and short strings count from when they are built to the end of the
//! evaluation; long strings only while they live, so that a text may grow piece by piece. Weights are estimates of
//! bytes, on the high side.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use jsonata_core::value::{JValue, with_stack};

use crate::expr::{ExprError, limits};

pub(super) const SLOT: u64 = 40;
const ARRAY: u64 = 64;
const OBJECT: u64 = 150;
const ENTRY: u64 = 120;
const STRING: u64 = 32;
/// Strings from this length on are followed while they live.
const LONG: u64 = 1024;
/// Bytes of new long strings after which the dead ones are looked for.
const SWEEP: u64 = 8 << 20;

pub(super) struct Meter {
    value_limit: u64,
    total_limit: u64,
    built: Cell<u64>,
    held: Cell<u64>,
    held_at_sweep: Cell<u64>,
    strings: RefCell<Vec<Weak<str>>>,
}

impl Meter {
    /// With bounds that grow with what the expression is given.
    pub(super) fn new(scope_weight: u64) -> Self {
        Self {
            value_limit: limits::VALUE_WEIGHT + 2 * scope_weight,
            total_limit: limits::TOTAL_WEIGHT + 2 * scope_weight,
            built: Cell::new(0),
            held: Cell::new(0),
            held_at_sweep: Cell::new(0),
            strings: RefCell::new(Vec::new()),
        }
    }

    /// Counts memory that stays until the end.
    pub(super) fn spend(&self, weight: u64) -> Result<(), ExprError> {
        let built = self.built.get().saturating_add(weight);
        self.built.set(built);
        if built > self.total_limit {
            Err(too_large("the expression builds too much on its way"))
        } else {
            Ok(())
        }
    }

    /// Counts a list whose items stood there before.
    pub(super) fn gathered(&self, value: &JValue) -> Result<(), ExprError> {
        match value {
            JValue::Array(items) => self.spend(ARRAY + SLOT * items.len() as u64)?,
            other => self.spend(shallow(other))?,
        }
        self.check(value)
    }

    /// Counts a value that was built with its items.
    pub(super) fn built(&self, value: &JValue) -> Result<(), ExprError> {
        match value {
            JValue::String(text) => return self.string(text),
            JValue::Array(items) => {
                for item in &**items {
                    match item {
                        JValue::String(text) => self.string(text)?,
                        other => self.spend(shallow(other))?,
                    }
                }
            }
            JValue::Object(map) => self.spend(map.values().map(shallow).sum())?,
            _ => return Ok(()),
        }
        self.spend(shallow(value))?;
        self.check(value)
    }

    fn string(&self, text: &Rc<str>) -> Result<(), ExprError> {
        let len = text.len() as u64;
        if len > self.value_limit / 2 {
            return Err(too_large("a text is too long"));
        }
        if len < LONG {
            return self.spend(STRING + len);
        }
        self.strings.borrow_mut().push(Rc::downgrade(text));
        self.held.set(self.held.get() + len);
        if self.held.get() > self.held_at_sweep.get() + SWEEP {
            self.sweep();
        }
        if self.held.get() > self.total_limit {
            Err(too_large("the expression holds too much text"))
        } else {
            Ok(())
        }
    }

    /// Forgets strings that are gone; only then is their memory free.
    fn sweep(&self) {
        let mut strings = self.strings.borrow_mut();
        strings.retain(|text| text.strong_count() > 0);
        let held = strings.iter().filter_map(Weak::upgrade).map(|text| text.len() as u64).sum();
        self.held.set(held);
        self.held_at_sweep.set(held);
    }

    /// Refuses a value that is too deep, or too large when everything in it counts as often as it occurs: walking
    /// such a value (to print, compare or flatten it) would take for ever.
    pub(super) fn check(&self, value: &JValue) -> Result<(), ExprError> {
        let mut left = self.value_limit;
        take(value, 0, &mut left)
    }

    /// Whether a text of this many bytes may be built at all: half of what a value may weigh, since making it takes copies.
    pub(super) fn may_hold(&self, bytes: usize) -> Result<(), ExprError> {
        if bytes as u64 > self.value_limit / 2 { Err(too_large("a text would be too long")) } else { Ok(()) }
    }
}

fn take(value: &JValue, depth: usize, left: &mut u64) -> Result<(), ExprError> {
    if depth > limits::VALUE_DEPTH {
        let message = format!("a value nests deeper than {}", limits::VALUE_DEPTH);
        return Err(ExprError::new("too_deep", message));
    }
    let Some(rest) = left.checked_sub(shallow(value)) else { return Err(too_large("a value is too large")) };
    *left = rest;
    match value {
        JValue::Array(items) => with_stack(|| items.iter().try_for_each(|item| take(item, depth + 1, left))),
        JValue::Object(map) => with_stack(|| map.values().try_for_each(|item| take(item, depth + 1, left))),
        _ => Ok(()),
    }
}

/// A value without what it holds.
pub(super) fn shallow(value: &JValue) -> u64 {
    match value {
        JValue::Array(items) => ARRAY + SLOT * items.len() as u64,
        JValue::Object(map) => OBJECT + map.keys().map(|key| ENTRY + key.len() as u64).sum::<u64>(),
        JValue::String(text) => STRING + text.len() as u64,
        _ => SLOT,
    }
}

pub(super) fn too_large(message: &str) -> ExprError {
    ExprError::new("too_large", message)
}
