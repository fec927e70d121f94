//! Every route of every function against every kind of caller, on Postgres (TEN-05, AUT-20, KEY-04): made of the table that the gate reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use app::{
    fakes::{ManualClock, ScriptedModels},
    ports::{Accounts as _, Act, DeploymentSecrets, NewAccount},
};
use axum::Router;
use blobs::ObjectBlobs;
use catalog::{ApiKeyDigest, Catalog, NewService};
use chrono::TimeDelta;
use connectors::egress::EgressPolicy;
use domain::{Environment, Holder, MemberId, Role, ServiceId, SessionId, TeamId, UserId};
use embedded::{Embedded, QueueOptions};
use heddle_http::{
    BASE, Needs, Origins, ROUTES, Route,
    testing::{Answer, by_token, call, request, request_with},
};
use identity::{Issuer, KeyRing, Realm};
use runtime::{Boot, Env, SystemChance, SystemClock, SystemEntropy, TimeOrderedIds};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use test_support::TestDatabase;
use tokio::sync::watch;
use uuid::Uuid;

use super::{api, sign_in};
use crate::{cli::Data, secrets, workers};

const ROLES: [Role; 4] = [Role::Owner, Role::Admin, Role::Editor, Role::Viewer];

/// A team with a member in each role, and a service.
struct Team {
    id: TeamId,
    members: BTreeMap<&'static str, MemberId>,
    key: String,
}

struct World {
    router: Router,
    boot: Boot,
    catalog: Catalog,
    secrets: Arc<dyn DeploymentSecrets>,
    _stop: watch::Sender<bool>,
    _data: TempDir,
    _embedded: Embedded,
    _database: TestDatabase,
}

fn boot() -> Boot {
    Boot {
        env: Env::of([]),
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeOrderedIds),
        chance: Arc::new(SystemChance),
        entropy: Arc::new(SystemEntropy),
    }
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Editor => "editor",
        Role::Viewer => "viewer",
    }
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::create(&catalog::MIGRATOR).await;
        let (catalog, boot) = (Catalog::new(database.pool().clone()), boot());
        catalog.apply(&embedded::migrator()).await.unwrap();
        let data = tempfile::tempdir().unwrap();
        let objects = Arc::new(ObjectBlobs::in_folder(data.path()).unwrap());
        let pool = database.pool().clone();
        let embedded =
            Embedded::open(pool, objects, boot.ids.clone(), QueueOptions::default()).await.unwrap();
        let conductor = workers::conductor(&embedded, embedded.store.clone(), &boot);
        let folder = Data { data: Some(data.path().to_owned()) };
        let mailer = sign_in::mailbox(&folder, &boot).unwrap();
        let secrets = secrets::deployment(&folder).unwrap();
        let (kept, egress) = (secrets.clone(), EgressPolicy::default());
        let identity =
            sign_in::identity(kept, egress, &embedded, catalog.clone(), mailer.clone(), &boot).await.unwrap();
        let keeper = Arc::new(secrets::keeper(secrets.clone(), catalog.clone(), &boot));
        let (stop, stopped) = watch::channel(false);
        let models = Arc::new(ScriptedModels::default());
        let parts = api::Parts { conductor, identity, keeper, models, mailer, origins: Origins::default() };
        let router = api::router(&embedded, catalog.clone(), parts, &boot, stopped);
        Self {
            router,
            boot,
            catalog,
            secrets,
            _stop: stop,
            _data: data,
            _embedded: embedded,
            _database: database,
        }
    }

    async fn team(&self, name: &str) -> Team {
        let (id, key) = (TeamId::new(self.boot.ids.next()), format!("hdl_{name}"));
        let mut members = BTreeMap::new();
        for role in ROLES {
            let account = NewAccount {
                member_id: MemberId::new(self.boot.ids.next()),
                user_id: UserId::new(self.boot.ids.next()),
                email: format!("{}@{name}.example", word(role)),
                first_name: "Ada".to_owned(),
                last_name: String::new(),
            };
            let member = self.catalog.open(&account).await.unwrap().member_id;
            let place = self.boot.ids.next();
            if role == Role::Owner {
                self.catalog.team_found(id, name, "", (member, place), &self.act()).await.unwrap();
            } else {
                self.catalog.team_join(id, member, role, place, &self.act()).await.unwrap();
            }
            members.insert(word(role), member);
        }
        let service = NewService {
            id: ServiceId::new(self.boot.ids.next()),
            name: "a service".to_owned(),
            environment: Environment::Dev,
        };
        self.catalog.service_insert(id, &service, &self.act()).await.unwrap();
        let digest = ApiKeyDigest { sha256: Sha256::digest(&key).into(), last4: "test".to_owned() };
        self.catalog.service_replace_key(id, service.id, &digest, None, &self.act()).await.unwrap();
        Team { id, members, key }
    }

    fn act(&self) -> Act {
        Act::of_system(self.boot.ids.next(), self.boot.clock.now())
    }

    /// An access token that was issued this long ago.
    async fn token(&self, member: MemberId, age: TimeDelta) -> String {
        let then = Arc::new(ManualClock::default());
        then.advance_to(self.boot.clock.now() - age);
        let keys = KeyRing::creating(self.secrets.clone(), then.clone(), self.boot.entropy.clone());
        let realm = Realm::of_stage(sign_in::STAGE);
        let issuer = Issuer::new(Arc::new(keys), realm, then, self.boot.ids.clone());
        issuer.issue(member, "ada@example.com", SessionId::new(Uuid::nil())).await.unwrap()
    }

    async fn send(&self, route: &Route, path: &str, as_whom: &Credential) -> Answer {
        let path = if path.starts_with("/.well-known") { path.to_owned() } else { format!("{BASE}{path}") };
        let key = if let Credential::Key(key) = as_whom { key } else { "" };
        let made = match route.method {
            "GET" | "DELETE" => request(route.method, &path, key),
            method => request_with(method, &path, key, &json!({})),
        };
        let made = if let Credential::Token(token) = as_whom { by_token(made, token) } else { made };
        call(&self.router, made).await
    }
}

enum Credential {
    Nothing,
    Key(String),
    Token(String),
}

/// Who calls, and what they are; None of a credential that is worth nothing.
struct Caller {
    name: String,
    credential: Credential,
    holder: Option<Holder>,
    is_of_team: bool,
}

async fn callers(world: &World, ours: &Team, theirs: &Team) -> Vec<Caller> {
    let mut callers = Vec::new();
    // Owners last: they may delete the team.
    for role in ROLES.into_iter().rev() {
        let token = world.token(ours.members[word(role)], TimeDelta::zero()).await;
        callers.push(Caller {
            name: word(role).to_owned(),
            credential: Credential::Token(token),
            holder: Some(Holder::Member(role)),
            is_of_team: true,
        });
    }
    let other = |name: &str, credential, holder, is_of_team| Caller {
        name: name.to_owned(),
        credential,
        holder,
        is_of_team,
    };
    let owner = ours.members["owner"];
    let stranger = world.token(theirs.members["owner"], TimeDelta::zero()).await;
    let expired = world.token(owner, TimeDelta::minutes(16)).await;
    let early = world.token(owner, TimeDelta::minutes(-16)).await;
    let good = world.token(owner, TimeDelta::zero()).await;
    let (head, signature) = good.rsplit_once('.').unwrap();
    let swapped: String = signature.chars().rev().collect();
    let owner_of_others = Some(Holder::Member(Role::Owner));
    callers.splice(
        0..0,
        [
            other("a service", Credential::Key(ours.key.clone()), Some(Holder::Service), true),
            other("another team's owner", Credential::Token(stranger), owner_of_others, false),
            other("nobody", Credential::Nothing, None, false),
            other("an unknown key", Credential::Key("hdl_unknown".to_owned()), None, false),
            other("an expired token", Credential::Token(expired), None, false),
            other("a token of tomorrow", Credential::Token(early), None, false),
            other("a tampered token", Credential::Token(format!("{head}.{swapped}")), None, false),
        ],
    );
    callers
}

/// A path with `team` and, for all else that it names, what does not exist.
fn path_of(route: &Route, team: TeamId, named: impl Fn(&str) -> String) -> String {
    let parts =
        route.path.split('/').map(|part| match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some("team_id") => team.to_string(),
            Some(name) => named(name),
            None => part.to_owned(),
        });
    parts.collect::<Vec<_>>().join("/")
}

fn nothing(name: &str) -> String {
    match name {
        "number" => "7".to_owned(),
        "name" => "NO_SUCH_NAME".to_owned(),
        "node" => "nowhere".to_owned(),
        "provider" => "nobody".to_owned(),
        "token" => "no-such-token".to_owned(),
        _ => Uuid::now_v7().to_string(),
    }
}

/// What the table says of this caller: a status, or None for any that is neither a refusal of the caller nor our fault.
fn declared(route: &Route, caller: &Caller) -> Option<u16> {
    let names_team = route.path.contains("{team_id}");
    match (route.needs, caller.holder) {
        (Needs::Nobody, _) | (Needs::Oneself, Some(Holder::Member(_))) => None,
        (_, None) | (Needs::Oneself, Some(Holder::Service)) => Some(401),
        (Needs::Team(_), Some(_)) if names_team && !caller.is_of_team => Some(404),
        (Needs::Team(permission), Some(holder)) if permission.is_held_by(holder) => None,
        (Needs::Team(_), Some(_)) => Some(403),
    }
}

#[tokio::test]
async fn every_route_answers_every_caller_as_it_is_declared() {
    let world = World::new().await;
    let (ours, theirs) = (world.team("ours").await, world.team("theirs").await);
    let callers = callers(&world, &ours, &theirs).await;
    let deletes_team = |route: &&Route| route.needs == Needs::Team(domain::Permission::TeamDelete);
    let (last, others): (Vec<_>, Vec<_>) = ROUTES.iter().partition(deletes_team);
    let mut wrong = Vec::new();
    for route in others.into_iter().chain(last) {
        let path = path_of(route, ours.id, nothing);
        for caller in &callers {
            let code = world.send(route, &path, &caller.credential).await.code();
            let is_right = match declared(route, caller) {
                Some(expected) => code == expected,
                None if route.needs == Needs::Nobody => code < 500 && code != 403,
                None => code < 500 && ![401, 403, 405].contains(&code),
            };
            if !is_right {
                wrong.push(format!("{} {}: {} got {code}", route.method, route.path, caller.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn what_is_declared_is_mounted_and_what_is_mounted_is_declared() {
    let world = World::new().await;
    let mut mounted = BTreeSet::new();
    for (_, prefixes) in api::PREFIXES {
        let area = prefixes[0].rsplit('/').next().unwrap();
        let document = call(&world.router, request("GET", &format!("{BASE}/{area}/openapi.json"), "")).await;
        assert_eq!(document.code(), 200, "{area}");
        for (path, item) in document.body["paths"].as_object().unwrap() {
            let path = path.strip_prefix(BASE).unwrap_or(path);
            if !path.contains("/health") {
                mounted.extend(
                    item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.to_owned())),
                );
            }
        }
    }
    let declared: Vec<_> =
        ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(declared.len(), declared.iter().collect::<BTreeSet<_>>().len(), "a route twice");
    assert_eq!(declared.into_iter().collect::<BTreeSet<_>>(), mounted);
}

/// A problem without what differs from request to request.
fn told(answer: &Answer) -> (u16, Value) {
    let mut body = answer.body.clone();
    body.as_object_mut().map(|problem| problem.remove("instance"));
    (answer.code(), body)
}

/// What a team has, by the names that paths have for it; made through the API, as its owner would.
async fn things_of(world: &World, team: &Team) -> BTreeMap<&'static str, String> {
    let token = world.token(team.members["owner"], TimeDelta::zero()).await;
    let post = async |path: &str, body: Value| {
        let made = by_token(request_with("POST", &format!("{BASE}{path}"), "", &body), &token);
        let answer = call(&world.router, made).await;
        assert!(answer.status.is_success(), "POST {path}: {answer:?}");
        answer.body
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let workflow = text(&post("/workflows", json!({"name": "theirs"})).await["id"]);
    let graph = json!({"nodes": [{"key": "done", "node_type": "return"}], "edges": []});
    let put = request_with("PUT", &format!("{BASE}/workflows/{workflow}/graph"), "", &graph);
    assert_eq!(call(&world.router, by_token(put, &token)).await.code(), 200);
    post(&format!("/workflows/{workflow}/publish"), json!({})).await;
    let run = text(&post("/runs", json!({"workflow_id": workflow})).await["run_id"]);
    let invite = json!({"email": "ada@example.com", "role": "viewer"});
    let invitation = text(&post(&format!("/teams/{}/invite", team.id), invite).await["id"]);
    let service = text(&post("/services", json!({"name": "theirs", "environment": "prod"})).await["id"]);
    let segment = post(&format!("/services/{service}/segments"), json!({"name": "theirs"})).await;
    let key = json!({"service_id": service, "version": 1, "properties": {"user_id": "ada"}});
    let user = text(&post("/services/resolve", key).await["id"]);
    let secret = request_with("PUT", &format!("{BASE}/secrets/SHOP"), "", &json!({"value": "sk-live"}));
    assert_eq!(call(&world.router, by_token(secret, &token)).await.code(), 201);
    let expert = text(&post("/experts", json!({"name": "theirs", "model_name": "m"})).await["id"]);
    for link in [format!("workflows/{workflow}"), format!("services/{service}")] {
        let put = request_with("PUT", &format!("{BASE}/experts/{expert}/{link}"), "", &Value::Null);
        assert_eq!(call(&world.router, by_token(put, &token)).await.code(), 204, "{link}");
    }
    let put =
        request_with("PUT", &format!("{BASE}/workflows/{workflow}/services/{service}"), "", &Value::Null);
    assert_eq!(call(&world.router, by_token(put, &token)).await.code(), 204);
    let map = json!({"key": "shape", "node_type": "map"});
    let node = post(&format!("/workflows/{workflow}/nodes"), map).await["node"].clone();
    let edge = json!({"from": "shape", "to": "done"});
    let edge = post(&format!("/workflows/{workflow}/edges"), edge).await["edge"].clone();
    let mut late = request_with("PUT", &format!("{BASE}/workflows/{workflow}/graph"), "", &graph);
    late.headers_mut().insert("if-match", "\"1\"".parse().unwrap());
    assert_eq!(call(&world.router, by_token(late, &token)).await.code(), 412);
    let drafts = request("GET", &format!("{BASE}/workflows/{workflow}/drafts"), "");
    let drafts = call(&world.router, by_token(drafts, &token)).await.body;
    BTreeMap::from([
        ("name", "SHOP".to_owned()),
        ("node_id", text(&node["id"])),
        ("edge_id", text(&edge["id"])),
        ("draft_id", text(&drafts["items"][0]["id"])),
        ("invitation_id", invitation),
        ("service_id", service),
        ("segment_id", text(&segment["id"])),
        ("service_user_id", user),
        ("expert_id", expert),
        ("workflow_id", workflow),
        ("number", "1".to_owned()),
        ("other", "draft".to_owned()),
        ("run_id", run),
        ("node", "done".to_owned()),
        ("member_id", team.members["viewer"].to_string()),
    ])
}

#[tokio::test]
async fn what_another_team_has_is_told_from_nothing_by_nobody() {
    let world = World::new().await;
    let (ours, theirs) = (world.team("ours").await, world.team("theirs").await);
    let token = Credential::Token(world.token(ours.members["owner"], TimeDelta::zero()).await);
    let things = things_of(&world, &theirs).await;
    let names_something = |route: &&Route| matches!(route.needs, Needs::Team(_)) && route.path.contains('{');
    for route in ROUTES.iter().filter(names_something) {
        // To put what is not there makes it: one's own, whatever others have by the same name.
        if route.method == "PUT" && route.path == "/secrets/{name}" {
            continue;
        }
        let names_team = route.path.contains("{team_id}");
        let theirs_path = path_of(route, theirs.id, |name| {
            things.get(name).unwrap_or_else(|| panic!("make an example of {name} for {}", route.path)).clone()
        });
        let nowhere = path_of(route, TeamId::new(Uuid::now_v7()), nothing);
        let (foreign, missing) =
            (world.send(route, &theirs_path, &token).await, world.send(route, &nowhere, &token).await);
        assert_eq!(told(&foreign), told(&missing), "{} {}", route.method, route.path);
        // What the body lacks may be told first, as long as it is told of both.
        assert!(
            [404, 422].contains(&foreign.code()) && (!names_team || foreign.code() == 404),
            "{foreign:?}"
        );
    }
    // The other team has it all still.
    let owner = Credential::Token(world.token(theirs.members["owner"], TimeDelta::zero()).await);
    for path in [
        format!("/workflows/{}", things["workflow_id"]),
        format!("/runs/{}", things["run_id"]),
        format!("/experts/{}", things["expert_id"]),
    ] {
        let route = Route::new("GET", "", Needs::Nobody);
        assert_eq!(world.send(&route, &path, &owner).await.code(), 200, "{path}");
    }
}
