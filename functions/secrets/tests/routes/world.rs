//! The function on a database of its own.

use std::sync::Arc;

use app::{
    fakes::{ManualClock, MemorySecretCopies, MemorySecrets, SequentialEntropy},
    ports::{Ids as _, TeamSecrets as _},
};
use axum::{Router, body::Body};
use catalog::{Catalog, LazyCatalog, MIGRATOR};
use domain::{MemberId, Role, TeamId};
use heddle_http::testing::{Answer, Passes, by_token, call, request, request_with};
use http::Request;
use runtime::TimeOrderedIds;
use secrets::{State, router};
use serde_json::Value;
use test_support::TestDatabase;
use vault::{Keeper, MasterRing, SecretTeller, Vault};

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) catalog: Catalog,
    pub(crate) team: TeamId,
    /// Of an admin of the team that most tests act for, and of another one.
    pub(crate) token: String,
    pub(crate) foreign_token: String,
    copies: Arc<MemorySecretCopies>,
    deployment: Arc<MemorySecrets>,
    _database: TestDatabase,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create(&MIGRATOR).await;
        let catalog = Catalog::new(database.pool().clone());
        let clock = Arc::new(ManualClock::default());
        let passes = Passes::new(clock.clone());
        let (team, token) = team_with_admin(&catalog, &passes).await;
        let (_, foreign_token) = team_with_admin(&catalog, &passes).await;
        let lazy = Arc::new(LazyCatalog::open(catalog.clone()));
        let (copies, deployment) =
            (Arc::new(MemorySecretCopies::default()), Arc::new(MemorySecrets::default()));
        let entropy = Arc::new(SequentialEntropy::default());
        let keeper = Keeper::new(
            lazy.clone(),
            lazy.clone(),
            Arc::new(SecretTeller::new(lazy.clone(), copies.clone())),
            MasterRing::creating(deployment.clone(), clock.clone(), entropy.clone()),
            Arc::new(TimeOrderedIds),
            entropy,
        );
        let state = State { keeper: Arc::new(keeper), clock, ids: Arc::new(TimeOrderedIds) };
        let router = router(state, passes.gate(), move || {
            let catalog = lazy.clone();
            async move { catalog.ping().await }
        });
        Self { router, catalog, team, token, foreign_token, copies, deployment, _database: database }
    }

    /// Sends a request as the team's admin.
    pub(crate) async fn call(&self, request: Request<Body>) -> Answer {
        call(&self.router, by_token(request, &self.token)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(request("GET", &format!("/api/v1/{path}"), "")).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.call(request_with(method, &format!("/api/v1/{path}"), "", body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(request("DELETE", &format!("/api/v1/{path}"), "")).await
    }

    /// Sends bytes as a JSON body.
    pub(crate) async fn send_bytes(&self, method: &str, path: &str, body: &str) -> Answer {
        let request = Request::builder().method(method).uri(format!("/api/v1/{path}"));
        let request = request.header("content-type", "application/json");
        self.call(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// What a worker would put into a call of our team, read from where workers read.
    pub(crate) async fn opened(&self, name: &str) -> Option<String> {
        let clock = Arc::new(ManualClock::default());
        let masters = MasterRing::reading(self.deployment.clone(), clock.clone());
        let vault = Vault::new(self.copies.clone(), masters, clock);
        vault.open(self.team, name).await.ok().map(|value| value.expose().to_owned())
    }
}

async fn team_with_admin(catalog: &Catalog, passes: &Passes) -> (TeamId, String) {
    let team = TeamId::new(TimeOrderedIds.next());
    catalog.team_insert(team, "a team", "").await.unwrap();
    let token = passes.member(team, MemberId::new(TimeOrderedIds.next()), Role::Admin).await;
    (team, token)
}
