//! The bounds of an expression, and the net that catches a panic. Every number of the guard stands here.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use super::ExprError;

/// Bytes of one expression.
pub(super) const SOURCE_BYTES: usize = 32 * 1024;
/// Brackets within brackets. Checked on the tokens, before any parser recurses.
pub(super) const NESTING: usize = 200;
/// Wall time of one evaluation. What one built-in does at once is bounded by the sizes below, so no evaluation
/// takes twice as long.
pub(super) const MILLIS: u64 = 800;
/// Nested evaluations: about a thousand calls that are not tail calls.
pub(super) const DEPTH: usize = 3_000;
/// Items of one sequence; twice the longest array of the scope where that is more.
pub(super) const SEQUENCE: usize = 250_000;
/// Bytes, by the meter's estimate, that one value may weigh, with everything below it counted as often as it occurs.
/// Twice the scope's weight comes on top.
pub(super) const VALUE_WEIGHT: u64 = 32 << 20;
/// Bytes of containers and short strings that one evaluation may build in all, and of long strings that it may hold at
/// once. Twice the scope's weight comes on top.
pub(super) const TOTAL_WEIGHT: u64 = 64 << 20;
/// Levels of containers in a value, as many as `serde_json` reads back.
pub(super) const VALUE_DEPTH: usize = 126;
/// Functions made and kept that may hold other functions.
pub(super) const CLOSURES: usize = 1_000;
/// Arguments of one call.
pub(super) const ARGUMENTS: usize = 16;
/// Length that `$pad` may pad to.
pub(super) const PADDED: f64 = 1e6;
/// Characters of a picture string, and of what is read by one.
pub(super) const PICTURE: usize = 256;
/// States of a compiled regex, by estimate from its text.
pub(super) const REGEX_STATES: usize = 4_000;
/// Regex states times characters searched.
pub(super) const REGEX_WORK: usize = 1_000_000_000;
/// `$eval` within `$eval`.
pub(super) const EVALS: usize = 4;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f`; a panic inside becomes an error with the code `panicked` and prints nothing.
pub(super) fn caught<T>(f: impl FnOnce() -> Result<T, ExprError>) -> Result<T, ExprError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                others(info);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(f));
    GUARDED.set(outer);
    outcome.unwrap_or_else(|payload| {
        let reason = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("unknown");
        Err(ExprError::new("panicked", format!("the expression broke its interpreter: {reason}")))
    })
}
