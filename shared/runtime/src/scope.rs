//! One request or message: its id, its log span, its counts. Reachable from anywhere in its future, so that no function has
//! to hand them on.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{RunId, TeamId};
use tracing::{Instrument as _, Span, field};

use crate::metrics::Counts;

tokio::task_local! {
    static CURRENT: Scope;
}

/// What belongs to one request or message.
#[derive(Clone)]
pub struct Scope {
    request_id: Arc<str>,
    span: Span,
    counts: Arc<Mutex<Counts>>,
}

impl Scope {
    /// Opens the scope of a request or message.
    pub fn new(request_id: &str) -> Self {
        // At error level, so that the lines of every log level carry the ids.
        let span = tracing::error_span!(
            "scope",
            request_id,
            team_id = field::Empty,
            run_id = field::Empty,
            message_id = field::Empty,
            receive_count = field::Empty,
        );
        Self { request_id: request_id.into(), span, counts: Arc::default() }
    }

    /// Runs `work` inside this scope.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), work).instrument(self.span.clone()).await
    }

    /// The span that every line of this scope is in.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Takes what was counted.
    pub fn take_counts(&self) -> Counts {
        std::mem::take(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The id of the present request or message; None outside of any.
pub fn request_id() -> Option<Arc<str>> {
    CURRENT.try_with(|scope| scope.request_id.clone()).ok()
}

/// Puts the team on every further line of this scope.
pub fn set_team(team: TeamId) {
    let _ = CURRENT.try_with(|scope| {
        scope.span.record("team_id", field::display(team));
    });
}

/// Puts the run on every further line of this scope.
pub fn set_run(run: RunId) {
    let _ = CURRENT.try_with(|scope| {
        scope.span.record("run_id", field::display(run));
    });
}

/// Counts into the metrics of this scope; without a scope nothing is counted.
pub fn count(add: impl FnOnce(&mut Counts)) {
    let _ = CURRENT.try_with(|scope| add(&mut scope.counts.lock().unwrap_or_else(PoisonError::into_inner)));
}
