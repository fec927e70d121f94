//! The function on a database of its own, with people who are signed in.

use std::sync::Arc;

use app::{
    fakes::{ManualClock, MemoryMailer, SequentialEntropy, SequentialIds},
    ports::{Act, Clock as _, Ids as _},
};
use axum::Router;
use catalog::{Catalog, LazyCatalog, MIGRATOR, NewMember};
use domain::{MemberId, Role, TeamId};
use heddle_http::testing::{Answer, Passes, by_token, call, request, request_with};
use serde_json::{Value, json};
use teams::{State, router};
use test_support::TestDatabase;

/// A team that nobody has.
pub(crate) const UNKNOWN: &str = "01961234-5678-7abc-8def-0123456789ab";

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) catalog: Catalog,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) mailer: Arc<MemoryMailer>,
    /// The team that most tests are about. Nobody is in it yet.
    pub(crate) team: TeamId,
    pub(crate) ids: Arc<SequentialIds>,
    passes: Passes,
    pub(crate) database: TestDatabase,
}

/// Somebody with an access token.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: MemberId,
    pub(crate) email: String,
    pub(crate) token: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create(&MIGRATOR).await;
        let catalog = Catalog::new(database.pool().clone());
        let (clock, ids) = (Arc::new(ManualClock::default()), Arc::new(SequentialIds::default()));
        let mailer = Arc::new(MemoryMailer::default());
        let passes = Passes::new(clock.clone());
        let lazy = Arc::new(LazyCatalog::open(catalog.clone()));
        let gate = passes.gate_over(lazy.clone());
        let team = TeamId::new(ids.next());
        catalog.team_insert(team, "Looms", "").await.unwrap();
        let state = State {
            catalog: lazy,
            mailer: mailer.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            entropy: Arc::new(SequentialEntropy::default()),
        };
        Self { router: router(state, gate), catalog, clock, mailer, team, ids, passes, database }
    }

    /// Somebody in no team, whose address is proved.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let (id, email) = (MemberId::new(self.ids.next()), format!("{name}@example.com"));
        let new =
            NewMember { id, first_name: name.to_owned(), last_name: String::new(), email: email.clone() };
        self.catalog.member_insert(&new).await.unwrap();
        self.catalog.member_signed_in(id, self.clock.now(), true).await.unwrap();
        Person { id, email, token: self.passes.token(id).await }
    }

    /// Somebody in the team.
    pub(crate) async fn joined(&self, name: &str, role: Role) -> Person {
        let person = self.person(name).await;
        let act = Act::of_system(self.ids.next(), self.clock.now());
        self.catalog.team_join(self.team, person.id, role, self.ids.next(), &act).await.unwrap();
        person
    }

    /// Them, signed in again.
    pub(crate) async fn again(&self, person: &Person) -> Person {
        Person { token: self.passes.token(person.id).await, ..person.clone() }
    }

    /// What somebody with all rights to the database does.
    pub(crate) async fn sql(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(self.database.pool()).await.unwrap();
    }

    /// Below `/api/v1`; without a body where that is null.
    pub(crate) async fn send(&self, who: &Person, method: &str, path: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/{path}");
        let request = match body {
            Value::Null => request(method, &path, ""),
            body => request_with(method, &path, "", body),
        };
        call(&self.router, by_token(request, &who.token)).await
    }

    pub(crate) async fn get(&self, who: &Person, path: &str) -> Answer {
        self.send(who, "GET", path, &Value::Null).await
    }

    /// Below the team.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("teams/{}{below}", self.team)
    }

    pub(crate) fn member_path(&self, member: &Person) -> String {
        self.path(&format!("/members/{}", member.id))
    }

    pub(crate) async fn make(&self, who: &Person, member: &Person, role: &str) -> Answer {
        self.send(who, "PATCH", &self.member_path(member), &json!({"role": role})).await
    }

    /// The role of somebody, as `who` sees it.
    pub(crate) async fn role_of(&self, who: &Person, member: &Person) -> Value {
        let members = self.get(who, &self.path("/members")).await.body;
        let is_it = |seen: &&Value| seen["member_id"] == json!(member.id);
        members["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(is_it)
            .map_or(Value::Null, |seen| seen["role"].clone())
    }
}

/// The pointers of a problem's mistakes.
pub(crate) fn pointers(answer: &Answer) -> Vec<String> {
    answer.problem().errors.into_iter().map(|mistake| mistake.pointer).collect()
}
