//! Teams over HTTP: who is in them and as what, invitations, activity, the audit log (api.md, teams).

mod mails;
mod oneself;
mod refusal;
mod routes;
mod token;
mod views;

use std::sync::Arc;

use app::ports::{Clock, Entropy, Ids, Mailer};
use axum::Router;
use catalog::LazyCatalog;
use heddle_http::{Api, Gate};

/// The clients of this function.
#[derive(Clone)]
pub struct State {
    /// Teams and people.
    pub catalog: Arc<LazyCatalog>,
    /// Takes invitations to people.
    pub mailer: Arc<dyn Mailer>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Tokens of invitations.
    pub entropy: Arc<dyn Entropy>,
}

/// The whole function as a value that can be called.
pub fn router(state: State, gate: Gate) -> Router {
    let catalog = state.catalog.clone();
    let about = "Teams, their members and invitations, and what was done in them.";
    Api::new("teams", about, routes::all())
        .ready("the catalog", move || {
            let catalog = catalog.clone();
            async move { catalog.ping().await }
        })
        .build(state, gate)
}
