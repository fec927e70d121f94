//! Signing in over HTTP: one-time codes, passwords, sessions, and the keys that tokens are verified by (api.md, auth).

mod answer;
mod refusal;
mod routes;
mod views;

use std::sync::Arc;

use app::ports::{Clock, Seats, StoreError};
use axum::Router;
use heddle_http::{Api, Gate};
use identity::Identity;

/// The clients of this function.
#[derive(Clone)]
pub struct State {
    /// Signing in.
    pub identity: Arc<Identity>,
    /// Which teams somebody is in.
    pub seats: Arc<dyn Seats>,
    /// The present.
    pub clock: Arc<dyn Clock>,
}

/// The whole function as a value that can be called. `ping` asks the catalog, whose ports have no such question.
pub fn router<W>(state: State, gate: Gate, ping: impl Fn() -> W + Send + Sync + 'static) -> Router
where
    W: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let identity = Arc::clone(&state.identity);
    let issuers = move || {
        let identity = Arc::clone(&identity);
        async move { identity.issuers().check().await }
    };
    Api::new("auth", "Sign in, and look after sessions.", routes::all())
        .beside(routes::well_known())
        .ready("the catalog", ping)
        .ready("the identity providers", issuers)
        .build(state, gate)
}
