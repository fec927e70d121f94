//! The function on a database of its own, with a member in each role.

use std::sync::Arc;

use app::{
    fakes::{ManualClock, SequentialEntropy, SequentialIds},
    ports::{Act, Clock as _, Ids as _},
};
use axum::Router;
use catalog::{Catalog, LazyCatalog, MIGRATOR, NewMember};
use domain::{MemberId, Role, TeamId};
use heddle_http::testing::{Answer, Passes, by_token, call, request, request_with};
use serde_json::{Value, json};
use services::{State, router};
use test_support::TestDatabase;

/// A service, a segment, an end user that nobody has.
pub(crate) const UNKNOWN: &str = "01961234-5678-7abc-8def-0123456789ab";

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) catalog: Catalog,
    pub(crate) team: TeamId,
    /// Access tokens of a member in each role, and of another team's owner.
    pub(crate) admin: String,
    pub(crate) editor: String,
    pub(crate) viewer: String,
    pub(crate) foreigner: String,
    pub(crate) database: TestDatabase,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create(&MIGRATOR).await;
        let catalog = Catalog::new(database.pool().clone());
        // The database compares the ends of keys with its own time.
        let clock = Arc::new(ManualClock::at(runtime::SystemClock.now()));
        let ids = Arc::new(SequentialIds::default());
        let passes = Passes::new(clock.clone());
        let lazy = Arc::new(LazyCatalog::open(catalog.clone()));
        let gate = passes.gate_over(lazy.clone());
        let (team, other) = (TeamId::new(ids.next()), TeamId::new(ids.next()));
        catalog.team_insert(team, "Ours", "").await.unwrap();
        catalog.team_insert(other, "Theirs", "").await.unwrap();
        let member = async |team: TeamId, role: Role| {
            let id = MemberId::new(ids.next());
            let new = NewMember {
                id,
                first_name: String::new(),
                last_name: String::new(),
                email: format!("{id}@example.com"),
            };
            catalog.member_insert(&new).await.unwrap();
            let act = Act::of_system(ids.next(), clock.now());
            catalog.team_join(team, id, role, ids.next(), &act).await.unwrap();
            passes.token(id).await
        };
        let (admin, editor) = (member(team, Role::Admin).await, member(team, Role::Editor).await);
        let (viewer, foreigner) = (member(team, Role::Viewer).await, member(other, Role::Owner).await);
        let entropy = Arc::new(SequentialEntropy::default());
        let state = State { catalog: lazy, clock, ids, entropy };
        Self { router: router(state, gate), catalog, team, admin, editor, viewer, foreigner, database }
    }

    /// As a member; below `/api/v1`; without a body where that is null.
    pub(crate) async fn send(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/{path}");
        let request = match body {
            Value::Null => request(method, &path, ""),
            body => request_with(method, &path, "", body),
        };
        call(&self.router, by_token(request, token)).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(token, "GET", path, &Value::Null).await
    }

    /// As a service.
    pub(crate) async fn call(&self, key: &str, method: &str, path: &str, body: &Value) -> Answer {
        call(&self.router, request_with(method, &format!("/api/v1/{path}"), key, body)).await
    }

    /// Makes a service and answers its path.
    pub(crate) async fn service(&self, name: &str) -> String {
        let made =
            self.send(&self.admin, "POST", "services", &json!({"name": name, "environment": "dev"})).await;
        assert_eq!(made.code(), 201, "{made:?}");
        made.header("location").strip_prefix("/api/v1/").unwrap().to_owned()
    }

    /// Issues a key of the service at this path.
    pub(crate) async fn key(&self, service: &str, grace_seconds: u32) -> String {
        let body = json!({"grace_seconds": grace_seconds});
        let issued = self.send(&self.admin, "POST", &format!("{service}/api-key"), &body).await;
        assert_eq!(issued.code(), 201, "{issued:?}");
        issued.body["api_key"].as_str().unwrap().to_owned()
    }

    /// What was done, newest first: actions of the audit log.
    pub(crate) async fn told(&self) -> Vec<String> {
        let log = self.catalog.audit_list(self.team, None, 100).await.unwrap();
        log.into_iter().map(|told| told.entry.action).collect()
    }

    /// That each of these answers the same 404 to another team's owner as an id that nobody has does to ours. `{}` in a path stands for
    /// the id.
    pub(crate) async fn is_not_there(&self, routes: &[(&str, &str, Value)], id: &str) {
        for (method, path, body) in routes {
            let mut problems = Vec::new();
            for (token, id) in [
                (&self.foreigner, id),
                (&self.foreigner, UNKNOWN),
                (&self.admin, UNKNOWN),
                (&self.admin, "x"),
            ] {
                let problem = self.send(token, method, &path.replace("{}", id), body).await.problem();
                problems.push((problem.status, problem.kind, problem.title, problem.detail, problem.errors));
            }
            assert_eq!(problems[0].0, 404, "{method} {path}");
            assert!(problems.iter().all(|problem| *problem == problems[0]), "{method} {path}: {problems:?}");
        }
    }
}

/// The pointers of a problem's mistakes, in the order of the alphabet.
pub(crate) fn pointers(answer: &Answer) -> Vec<String> {
    let mut pointers: Vec<_> = answer.problem().errors.into_iter().map(|mistake| mistake.pointer).collect();
    pointers.sort();
    pointers
}
