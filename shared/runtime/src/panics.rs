//! Panics as ordinary values and as log lines: one bad request or message must not take others with it.

use std::{any::Any, panic::AssertUnwindSafe};

use futures::FutureExt as _;

/// The work panicked. The panic itself was logged when it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("panicked")]
pub struct Panicked;

/// Runs `work` and answers a panic in it as an error. State that `work` shares with others must bear being left half-way.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| Panicked)
}

/// Makes panics log lines like any other, in the span in which they happen. Only messages that are literals are
/// shown: a formatted one may carry a piece of a body.
pub(crate) fn log_them() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic: {}", literal(info.payload()));
    }));
}

fn literal(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(formatted message withheld)")
}
