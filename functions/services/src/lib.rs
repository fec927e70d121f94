//! Services over HTTP: external callers of a team, their keys, what tells their end users apart, and these (api.md, services).

mod key;
mod refusal;
mod routes;
mod views;

use std::sync::Arc;

use app::ports::{Clock, Entropy, Ids};
use axum::Router;
use catalog::LazyCatalog;
use heddle_http::{Api, Gate};

/// The clients of this function.
#[derive(Clone)]
pub struct State {
    /// Services and their end users.
    pub catalog: Arc<LazyCatalog>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// API keys.
    pub entropy: Arc<dyn Entropy>,
}

/// The whole function as a value that can be called.
pub fn router(state: State, gate: Gate) -> Router {
    let catalog = state.catalog.clone();
    let about = "Services, their API keys, segments and end users.";
    Api::new("services", about, routes::all())
        .ready("the catalog", move || {
            let catalog = catalog.clone();
            async move { catalog.ping().await }
        })
        .build(state, gate)
}
