//! Experts over HTTP (api.md, experts; EXP-01 … EXP-09): prompts with a model and parameters under a name.

mod routes;
mod views;

use std::sync::Arc;

use app::ports::{Clock, Ids, Models, StoreError};
use axum::Router;
use catalog::LazyCatalog;
use heddle_http::{Api, Gate};

/// The clients of this function.
#[derive(Clone)]
pub struct State {
    /// Experts, and what they are tied to.
    pub catalog: Arc<LazyCatalog>,
    /// What experts answer by.
    pub models: Arc<dyn Models>,
    /// What a prompt takes for the present.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
}

/// The whole function as a value that can be called. `ping` asks whether the catalog answers.
pub fn router<W>(state: State, gate: Gate, ping: impl Fn() -> W + Send + Sync + 'static) -> Router
where
    W: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    Api::new("experts", "Prompts with a model and parameters under a name.", routes::all())
        .ready("the catalog", ping)
        .build(state, gate)
}
