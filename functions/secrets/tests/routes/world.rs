//! The function on a database of its own.

use std::sync::Arc;

use app::{
    fakes::{ManualClock, MemorySecretCopies, MemorySecrets, SequentialEntropy},
    ports::{Ids as _, TeamSecrets as _},
};
use axum::{Router, body::Body};
use catalog::{ApiKeyDigest, Catalog, LazyCatalog, MIGRATOR, NewService};
use domain::{Environment, ServiceId, TeamId};
use heddle_http::testing::{Answer, call, request, request_with};
use http::Request;
use runtime::TimeOrderedIds;
use secrets::{State, router};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use test_support::TestDatabase;
use vault::{Keeper, MasterRing, SecretTeller, Vault};

/// The key of the team that most tests act for, and that of another one. Sample events carry the first.
pub(crate) const KEY: &str = "hdl_replace-this-by-the-key-in-.local/demo-key";
pub(crate) const FOREIGN_KEY: &str = "hdl_foreign";

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) catalog: Catalog,
    pub(crate) team: TeamId,
    copies: Arc<MemorySecretCopies>,
    deployment: Arc<MemorySecrets>,
    _database: TestDatabase,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create(&MIGRATOR).await;
        let catalog = Catalog::new(database.pool().clone());
        let team = team_with_key(&catalog, KEY).await;
        team_with_key(&catalog, FOREIGN_KEY).await;
        let lazy = Arc::new(LazyCatalog::open(catalog.clone()));
        let (copies, deployment) =
            (Arc::new(MemorySecretCopies::default()), Arc::new(MemorySecrets::default()));
        let (clock, entropy) = (Arc::new(ManualClock::default()), Arc::new(SequentialEntropy::default()));
        let keeper = Keeper::new(
            lazy.clone(),
            lazy.clone(),
            Arc::new(SecretTeller::new(lazy.clone(), copies.clone())),
            MasterRing::creating(deployment.clone(), clock, entropy.clone()),
            Arc::new(TimeOrderedIds),
            entropy,
        );
        let state = State { keeper: Arc::new(keeper), keys: lazy.clone() };
        let router = router(state, move || {
            let catalog = lazy.clone();
            async move { catalog.ping().await }
        });
        Self { router, catalog, team, copies, deployment, _database: database }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        call(&self.router, request("GET", &format!("/api/v1/{path}"), KEY)).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        call(&self.router, request_with(method, &format!("/api/v1/{path}"), KEY, body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        call(&self.router, request("DELETE", &format!("/api/v1/{path}"), KEY)).await
    }

    /// Sends bytes as a JSON body.
    pub(crate) async fn send_bytes(&self, method: &str, path: &str, body: &str) -> Answer {
        let request = Request::builder().method(method).uri(format!("/api/v1/{path}"));
        let request = request.header("x-api-key", KEY).header("content-type", "application/json");
        call(&self.router, request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// What a worker would put into a call of our team, read from where workers read.
    pub(crate) async fn opened(&self, name: &str) -> Option<String> {
        let clock = Arc::new(ManualClock::default());
        let masters = MasterRing::reading(self.deployment.clone(), clock.clone());
        let vault = Vault::new(self.copies.clone(), masters, clock);
        vault.open(self.team, name).await.ok().map(|value| value.expose().to_owned())
    }
}

async fn team_with_key(catalog: &Catalog, key: &str) -> TeamId {
    let team = TeamId::new(TimeOrderedIds.next());
    catalog.team_insert(team, "a team", "").await.unwrap();
    let id = ServiceId::new(TimeOrderedIds.next());
    let new = NewService { id, name: "a service".to_owned(), environment: Environment::Dev };
    catalog.service_insert(team, &new).await.unwrap();
    let digest = ApiKeyDigest { sha256: Sha256::digest(key).into(), last4: "test".to_owned() };
    catalog.service_set_key(team, id, &digest).await.unwrap();
    team
}
