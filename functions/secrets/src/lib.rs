//! Credentials of teams over HTTP (api.md, secrets). A value goes in and never comes out.

mod routes;
mod views;

use std::sync::Arc;

use app::ports::{ApiKeys, StoreError};
use axum::{Router, extract::FromRef};
use heddle_http::Api;
use vault::Keeper;

/// The clients of this function.
#[derive(Clone)]
pub struct State {
    /// Takes credentials in.
    pub keeper: Arc<Keeper>,
    /// Who calls.
    pub keys: Arc<dyn ApiKeys>,
}

impl FromRef<State> for Arc<dyn ApiKeys> {
    fn from_ref(state: &State) -> Self {
        state.keys.clone()
    }
}

/// The whole function as a value that can be called. `ping` asks the catalog, whose ports have no such question.
pub fn router<W>(state: State, ping: impl Fn() -> W + Send + Sync + 'static) -> Router
where
    W: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    Api::new("secrets", "Credentials that workflows make calls with.", routes::all())
        .ready("the catalog", ping)
        .build(state)
}
