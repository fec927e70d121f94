//! Workflows, their draft graphs and published versions over HTTP (api.md, workflows).

mod routes;
mod views;

use std::sync::Arc;

use app::ports::{Clock, Ids, RunStore};
use axum::Router;
use catalog::LazyCatalog;
use heddle_http::{Api, Gate};

/// The clients of this function.
#[derive(Clone)]
pub struct State {
    /// Workflows and their versions.
    pub catalog: Arc<LazyCatalog>,
    /// Takes published versions to the workers.
    pub store: Arc<dyn RunStore>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
}

/// The whole function as a value that can be called.
pub fn router(state: State, gate: Gate) -> Router {
    let (catalog, store) = (state.catalog.clone(), state.store.clone());
    Api::new("workflows", "Workflows, their draft graphs and published versions.", routes::all())
        .ready("the catalog", move || {
            let catalog = catalog.clone();
            async move { catalog.ping().await }
        })
        .ready("the run store", move || {
            let store = store.clone();
            async move { store.ping().await }
        })
        .build(state, gate)
}
