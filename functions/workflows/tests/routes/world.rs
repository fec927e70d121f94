//! The function on a database of its own.

use std::sync::Arc;

use app::{
    fakes::{ManualClock, MemoryRunStore},
    ports::{Accounts as _, Act, Clock as _, Ids as _, NewAccount},
};
use axum::Router;
use catalog::{ApiKeyDigest, Catalog, LazyCatalog, MIGRATOR, NewService};
use domain::{Environment, MemberId, Role, ServiceId, TeamId, UserId};
use heddle_http::testing::{Answer, Passes, by_token, call, request, request_with};
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
    /// A person of the team, and an access token of theirs.
    pub(crate) editor: (MemberId, String),
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
        let passes = Passes::new(clock.clone());
        let gate = passes.gate_over(catalog.clone());
        let editor = editor_of(&open, team).await;
        let editor = (editor, passes.token(editor).await);
        let state = State { catalog, store: store.clone(), clock, ids: Arc::new(TimeOrderedIds) };
        Self { router: router(state, gate), catalog: open, store, team, editor, _database: database }
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

    /// Sends as the editor, with an `If-Match` header where there is a tag.
    pub(crate) async fn edit(&self, tag: Option<&str>, method: &str, path: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/{path}");
        let made = if *body == Value::Null {
            request(method, &path, "")
        } else {
            request_with(method, &path, "", body)
        };
        let mut made = by_token(made, &self.editor.1);
        if let Some(tag) = tag {
            made.headers_mut().insert("if-match", tag.parse().unwrap());
        }
        call(&self.router, made).await
    }

    /// The actions of the audit log with their details, newest first.
    pub(crate) async fn told(&self, limit: u32) -> Vec<(String, Value)> {
        let log = self.catalog.audit_list(self.team, None, limit).await.unwrap();
        let told = |mut entry: app::ports::AuditEntry| {
            entry.details.remove("acting_as");
            (entry.action, Value::Object(entry.details))
        };
        log.into_iter().map(|audited| told(audited.entry)).collect()
    }

    /// Publishes the workflow at this path with a graph.
    pub(crate) async fn publish(&self, path: &str, graph: &Value) {
        let put = self.send("PUT", &format!("{path}/graph"), graph).await;
        assert_eq!(put.code(), 200, "{put:?}");
        let published = self.send("POST", &format!("{path}/publish"), &json!({})).await;
        assert_eq!(published.code(), 201, "{published:?}");
    }

    /// Creates a workflow and answers its path below `/api/v1`.
    pub(crate) async fn create(&self, name: &str) -> String {
        let answer = self.send("POST", "workflows", &json!({"name": name, "is_api": true})).await;
        assert_eq!(answer.code(), 201, "{answer:?}");
        answer.header("location").strip_prefix("/api/v1/").unwrap().to_owned()
    }
}

/// The id at the end of a path.
pub(crate) fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

pub(crate) fn act() -> Act {
    Act::of_system(TimeOrderedIds.next(), ManualClock::default().now())
}

pub(crate) async fn service_of(catalog: &Catalog, team: TeamId) -> ServiceId {
    let id = ServiceId::new(TimeOrderedIds.next());
    let new = NewService { id, name: "a service".to_owned(), environment: Environment::Prod };
    catalog.service_insert(team, &new, &act()).await.unwrap().id
}

async fn editor_of(catalog: &Catalog, team: TeamId) -> MemberId {
    let account = NewAccount {
        member_id: MemberId::new(TimeOrderedIds.next()),
        user_id: UserId::new(TimeOrderedIds.next()),
        email: "edgar@example.com".to_owned(),
        first_name: "Edgar".to_owned(),
        last_name: String::new(),
    };
    let member = catalog.open(&account).await.unwrap().member_id;
    catalog.team_join(team, member, Role::Editor, TimeOrderedIds.next(), &act()).await.unwrap();
    member
}

async fn team_with_key(catalog: &Catalog, key: &str) -> TeamId {
    let team = TeamId::new(TimeOrderedIds.next());
    catalog.team_insert(team, "a team", "").await.unwrap();
    let id = ServiceId::new(TimeOrderedIds.next());
    let new = NewService { id, name: "a service".to_owned(), environment: Environment::Dev };
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
