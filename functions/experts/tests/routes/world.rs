//! The function on a database of its own.

use std::sync::Arc;

use app::{
    fakes::{ManualClock, ScriptedModels},
    ports::{Act, Clock as _, Ids as _},
};
use axum::{Router, body::Body};
use catalog::{Catalog, LazyCatalog, MIGRATOR, NewService, NewWorkflow};
use domain::{Environment, MemberId, Role, ServiceId, TeamId, WorkflowId};
use experts::{State, router};
use heddle_http::testing::{Answer, Passes, by_token, call, request, request_with};
use http::Request;
use runtime::TimeOrderedIds;
use serde_json::{Value, json};
use test_support::TestDatabase;

/// The key of a service of the team, as in sample events.
pub(crate) const KEY: &str = "hdl_replace-this-by-the-key-in-.local/demo-key";

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) catalog: Catalog,
    pub(crate) models: Arc<ScriptedModels>,
    pub(crate) team: TeamId,
    pub(crate) service: ServiceId,
    pub(crate) foreign_team: TeamId,
    /// Of the owner of the other team.
    pub(crate) foreign_token: String,
    token: String,
    _database: TestDatabase,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create(&MIGRATOR).await;
        let catalog = Catalog::new(database.pool().clone());
        let clock = Arc::new(ManualClock::default());
        let passes = Passes::new(clock.clone());
        let (team, token) = team_with_owner(&catalog, &passes).await;
        let (foreign_team, foreign_token) = team_with_owner(&catalog, &passes).await;
        passes.service(team, KEY);
        let service = service_of(&catalog, team).await;
        let lazy = Arc::new(LazyCatalog::open(catalog.clone()));
        let models = Arc::new(ScriptedModels::default());
        let state =
            State { catalog: lazy.clone(), models: models.clone(), clock, ids: Arc::new(TimeOrderedIds) };
        let router = router(state, passes.gate(), move || {
            let catalog = lazy.clone();
            async move { catalog.ping().await }
        });
        Self {
            router,
            catalog,
            models,
            team,
            service,
            foreign_team,
            foreign_token,
            token,
            _database: database,
        }
    }

    /// Sends a request as the team's owner.
    pub(crate) async fn call(&self, request: Request<Body>) -> Answer {
        call(&self.router, by_token(request, &self.token)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(request("GET", &format!("/api/v1/{path}"), "")).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.call(request_with(method, &format!("/api/v1/{path}"), "", body)).await
    }

    /// Sends with an `If-Match` header.
    pub(crate) async fn patch_if(&self, tag: &str, path: &str, body: &Value) -> Answer {
        let mut request = request_with("PATCH", &format!("/api/v1/{path}"), "", body);
        request.headers_mut().insert("if-match", tag.parse().unwrap());
        self.call(request).await
    }

    pub(crate) async fn put(&self, path: &str) -> Answer {
        self.call(request("PUT", &format!("/api/v1/{path}"), "")).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(request("DELETE", &format!("/api/v1/{path}"), "")).await
    }

    /// Creates an expert and answers its path below `/api/v1`.
    pub(crate) async fn create(&self, body: Value) -> String {
        let mut expert = json!({"name": "Clerk", "model_name": "m"});
        expert.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let answer = self.send("POST", "experts", &expert).await;
        assert_eq!(answer.code(), 201, "{answer:?}");
        answer.header("location").strip_prefix("/api/v1/").unwrap().to_owned()
    }

    pub(crate) async fn workflow(&self, team: TeamId, name: &str) -> WorkflowId {
        let new = NewWorkflow::named(WorkflowId::new(TimeOrderedIds.next()), name);
        self.catalog.workflow_insert(team, &new, &act()).await.unwrap().id
    }
}

/// The id at the end of an expert's path.
pub(crate) fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

pub(crate) fn act() -> Act {
    Act::of_system(TimeOrderedIds.next(), ManualClock::default().now())
}

pub(crate) async fn service_of(catalog: &Catalog, team: TeamId) -> ServiceId {
    let id = ServiceId::new(TimeOrderedIds.next());
    let new = NewService { id, name: "a service".to_owned(), environment: Environment::Dev };
    catalog.service_insert(team, &new, &act()).await.unwrap().id
}

async fn team_with_owner(catalog: &Catalog, passes: &Passes) -> (TeamId, String) {
    let team = TeamId::new(TimeOrderedIds.next());
    catalog.team_insert(team, "a team", "").await.unwrap();
    let token = passes.member(team, MemberId::new(TimeOrderedIds.next()), Role::Owner).await;
    (team, token)
}
