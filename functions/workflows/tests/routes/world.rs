//! The function on a database of its own.

use std::sync::Arc;

use app::{
    fakes::{ManualClock, MemoryRunStore},
    ports::{Act, Clock as _, Ids as _},
};
use axum::Router;
use catalog::{ApiKeyDigest, Catalog, LazyCatalog, MIGRATOR, NewService};
use domain::{Environment, ServiceId, TeamId};
use heddle_http::testing::{Answer, Passes, call, request, request_with};
use runtime::TimeOrderedIds;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use test_support::TestDatabase;
use workflows::{State, router};

/// The key of the team that most tests act for, and that of another one. Sample events carry the first.
pub(crate) const KEY: &str = "hdl_replace-this-by-the-key-in-.local/demo-key";
pub(crate) const FOREIGN_KEY: &str = "hdl_foreign";

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) catalog: Catalog,
    pub(crate) store: Arc<MemoryRunStore>,
    pub(crate) team: TeamId,
    _database: TestDatabase,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create(&MIGRATOR).await;
        let catalog = Catalog::new(database.pool().clone());
        let team = team_with_key(&catalog, KEY).await;
        let open = catalog.clone();
        team_with_key(&catalog, FOREIGN_KEY).await;
        let store = Arc::new(MemoryRunStore::default());
        let (catalog, clock) = (Arc::new(LazyCatalog::open(catalog)), Arc::new(ManualClock::default()));
        let gate = Passes::new(clock.clone()).gate_over(catalog.clone());
        let state = State { catalog, store: store.clone(), clock, ids: Arc::new(TimeOrderedIds) };
        Self { router: router(state, gate), catalog: open, store, team, _database: database }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        call(&self.router, request("GET", &format!("/api/v1/{path}"), KEY)).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        call(&self.router, request_with(method, &format!("/api/v1/{path}"), KEY, body)).await
    }

    /// Sends with an `If-Match` header.
    pub(crate) async fn send_if(&self, tag: &str, method: &str, path: &str, body: &Value) -> Answer {
        self.send_with(("if-match", tag), method, path, body).await
    }

    /// Sends with a header.
    pub(crate) async fn send_with(
        &self,
        (name, value): (&'static str, &str),
        method: &str,
        path: &str,
        body: &Value,
    ) -> Answer {
        let mut request = request_with(method, &format!("/api/v1/{path}"), KEY, body);
        request.headers_mut().insert(name, value.parse().unwrap());
        call(&self.router, request).await
    }

    /// Sends a body as it is written.
    pub(crate) async fn send_text(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut request = request_with(method, &format!("/api/v1/{path}"), KEY, &Value::Null);
        *request.body_mut() = body.to_owned().into();
        request.headers_mut().remove("content-length");
        call(&self.router, request).await
    }

    /// Creates a workflow and answers its path below `/api/v1`.
    pub(crate) async fn create(&self, name: &str) -> String {
        let answer = self.send("POST", "workflows", &json!({"name": name, "is_api": true})).await;
        assert_eq!(answer.code(), 201, "{answer:?}");
        answer.header("location").strip_prefix("/api/v1/").unwrap().to_owned()
    }
}

async fn team_with_key(catalog: &Catalog, key: &str) -> TeamId {
    let team = TeamId::new(TimeOrderedIds.next());
    catalog.team_insert(team, "a team", "").await.unwrap();
    let id = ServiceId::new(TimeOrderedIds.next());
    let new = NewService { id, name: "a service".to_owned(), environment: Environment::Dev };
    let act = || Act::of_system(TimeOrderedIds.next(), ManualClock::default().now());
    catalog.service_insert(team, &new, &act()).await.unwrap();
    let digest = ApiKeyDigest { sha256: Sha256::digest(key).into(), last4: "test".to_owned() };
    catalog.service_replace_key(team, id, &digest, None, &act()).await.unwrap();
    team
}

/// Fetches, filters and returns.
pub(crate) fn graph() -> Value {
    json!({
        "nodes": [
            {"key": "fetch", "node_type": "get_api", "metadata": {"url": "https://api.example.com/orders"}},
            {"key": "large", "node_type": "filter", "metadata": {"items": "{{ input.body }}", "condition": "{{ item.total > 50 }}"}},
            {"key": "done", "node_type": "return", "metadata": {"output": "{{ input }}"}},
        ],
        "edges": [{"from": "fetch", "to": "large"}, {"from": "large", "to": "done"}],
    })
}
