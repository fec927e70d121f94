//! The functions of the API on the embedded stores.

use std::sync::Arc;

use app::{
    Conductor, KnownLimits,
    ports::{Mailer, Models},
};
use axum::Router;
use catalog::{Catalog, LazyCatalog};
use embedded::Embedded;
use heddle_http::{Gate, GatePorts, Origins};
use identity::Identity;
use runs::EventStream;
use runtime::Boot;
use tokio::sync::watch;
use vault::Keeper;

use super::areas::{Area, mount};

/// The functions by their name in `template.yaml`, with the paths that each owns. The first one answers what nobody owns.
pub(crate) const PREFIXES: [(&str, &[&str]); 7] = [
    ("Runs", &["/api/v1/runs", "/api/v1/dead-letters", "/api/v1/approvals"]),
    ("Workflows", &["/api/v1/workflows"]),
    ("Auth", &["/api/v1/auth", "/.well-known"]),
    ("Teams", &["/api/v1/teams", "/api/v1/invitations", "/api/v1/activity", "/api/v1/audit"]),
    ("Services", &["/api/v1/services"]),
    ("Experts", &["/api/v1/experts"]),
    ("Secrets", &["/api/v1/secrets"]),
];

/// What functions do their work by, beside the stores.
pub(crate) struct Parts {
    /// Commits and dispatches.
    pub(crate) conductor: Arc<Conductor>,
    /// Signs in.
    pub(crate) identity: Arc<Identity>,
    /// Takes credentials in.
    pub(crate) keeper: Arc<Keeper>,
    /// What experts answer by.
    pub(crate) models: Arc<dyn Models>,
    /// Reaches people.
    pub(crate) mailer: Arc<dyn Mailer>,
    /// Whose pages may call.
    pub(crate) origins: Origins,
}

/// The whole API as one router. What it streams ends when `stop` becomes true.
pub(crate) fn router(
    embedded: &Embedded,
    catalog: Catalog,
    Parts { conductor, identity, keeper, models, mailer, origins }: Parts,
    boot: &Boot,
    stop: watch::Receiver<bool>,
) -> Router {
    let catalog = Arc::new(LazyCatalog::open(catalog));
    let runs = runs::State {
        catalog: Arc::clone(&catalog) as _,
        workflows: Arc::clone(&catalog) as _,
        annotations: Arc::clone(&catalog) as _,
        limits: Arc::new(KnownLimits::new(Arc::clone(&catalog) as _, Arc::clone(&boot.clock))),
        admissions: Arc::new(embedded.admissions()),
        store: Arc::clone(&embedded.store) as _,
        dead_letters: Arc::clone(&embedded.queue) as _,
        queue: Arc::clone(&embedded.queue) as _,
        conductor,
        ends: Arc::clone(&embedded.ends) as _,
        moves: Arc::new(embedded.moves.clone()),
        events: EventStream::Live { stop },
        clock: Arc::clone(&boot.clock),
        ids: Arc::clone(&boot.ids),
    };
    let workflows = workflows::State {
        catalog: Arc::clone(&catalog),
        store: Arc::clone(&embedded.store) as _,
        clock: Arc::clone(&boot.clock),
        ids: Arc::clone(&boot.ids),
    };
    let teams = teams::State {
        catalog: Arc::clone(&catalog),
        mailer,
        clock: Arc::clone(&boot.clock),
        ids: Arc::clone(&boot.ids),
        entropy: Arc::clone(&boot.entropy),
    };
    let services = services::State {
        catalog: Arc::clone(&catalog),
        clock: Arc::clone(&boot.clock),
        ids: Arc::clone(&boot.ids),
        entropy: Arc::clone(&boot.entropy),
    };
    let gate = Gate::new(GatePorts {
        keys: Arc::clone(&catalog) as _,
        seats: Arc::clone(&catalog) as _,
        verifier: Arc::clone(identity.verifier()),
        counters: Arc::new(embedded.counters(Arc::clone(&boot.clock))),
        answers: Arc::new(embedded.answers()),
        clock: Arc::clone(&boot.clock),
    });
    let gate = gate.open_to(origins);
    let (seats, clock) = (Arc::clone(&catalog) as _, Arc::clone(&boot.clock));
    let auth = auth::State { identity, seats, clock };
    let experts = experts::State {
        catalog: Arc::clone(&catalog),
        models,
        clock: Arc::clone(&boot.clock),
        ids: Arc::clone(&boot.ids),
    };
    let secrets = secrets::State { keeper, clock: Arc::clone(&boot.clock), ids: Arc::clone(&boot.ids) };
    let ping = move || {
        let catalog = Arc::clone(&catalog);
        async move { catalog.ping().await }
    };
    let routers = [
        runs::router(runs, gate.clone(), ping.clone()),
        workflows::router(workflows, gate.clone()),
        auth::router(auth, gate.clone(), ping.clone()),
        teams::router(teams, gate.clone()),
        services::router(services, gate.clone()),
        experts::router(experts, gate.clone(), ping.clone()),
        secrets::router(secrets, gate, ping),
    ];
    let areas = PREFIXES.into_iter().zip(routers);
    mount(areas.map(|((_, prefixes), router)| Area { prefixes, router }).collect())
}
