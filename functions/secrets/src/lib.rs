//! Credentials of teams over HTTP (api.md, secrets). A value goes in and never comes out.

mod routes;
mod views;

use std::sync::Arc;

use app::ports::{Clock, Ids, StoreError};
use axum::Router;
use heddle_http::{Api, Gate};
use vault::Keeper;

/// The clients of this function.
#[derive(Clone)]
pub struct State {
    /// Takes credentials in.
    pub keeper: Arc<Keeper>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
}

/// The whole function as a value that can be called. `ping` asks the catalog, whose ports have no such question.
pub fn router<W>(state: State, gate: Gate, ping: impl Fn() -> W + Send + Sync + 'static) -> Router
where
    W: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    Api::new("secrets", "Credentials that workflows make calls with.", routes::all())
        .ready("the catalog", ping)
        .build(state, gate)
}
