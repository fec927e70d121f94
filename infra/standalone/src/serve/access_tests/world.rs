//! Every function on a database of its own, and teams in it.

use std::{collections::BTreeMap, sync::Arc};

use app::{
    fakes::{ManualClock, ScriptedModels},
    ports::{Accounts as _, Act, DeploymentSecrets, NewAccount},
};
use axum::Router;
use blobs::ObjectBlobs;
use catalog::{ApiKeyDigest, Catalog, NewService};
use chrono::TimeDelta;
use connectors::egress::EgressPolicy;
use domain::{Environment, MemberId, Role, ServiceId, SessionId, TeamId, UserId};
use embedded::{Embedded, QueueOptions};
use heddle_http::{
    BASE, Origins, Route,
    testing::{Answer, by_token, call, request, request_with},
};
use identity::{Issuer, KeyRing, Realm};
use runtime::{Boot, Env, SystemChance, SystemClock, SystemEntropy, TimeOrderedIds};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use test_support::TestDatabase;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    cli::Data,
    secrets,
    serve::{api, sign_in},
    workers,
};

pub(super) const ROLES: [Role; 4] = [Role::Owner, Role::Admin, Role::Editor, Role::Viewer];

/// A team with a member in each role, and a service.
pub(super) struct Team {
    pub(super) id: TeamId,
    pub(super) members: BTreeMap<&'static str, MemberId>,
    pub(super) key: String,
}

pub(super) struct World {
    pub(super) router: Router,
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

pub(super) fn word(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Editor => "editor",
        Role::Viewer => "viewer",
    }
}

impl World {
    pub(super) async fn new() -> Self {
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

    pub(super) async fn team(&self, name: &str) -> Team {
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
    pub(super) async fn token(&self, member: MemberId, age: TimeDelta) -> String {
        let then = Arc::new(ManualClock::default());
        then.advance_to(self.boot.clock.now() - age);
        let keys = KeyRing::creating(self.secrets.clone(), then.clone(), self.boot.entropy.clone());
        let realm = Realm::of_stage(sign_in::STAGE);
        let issuer = Issuer::new(Arc::new(keys), realm, then, self.boot.ids.clone());
        issuer.issue(member, "ada@example.com", SessionId::new(Uuid::nil())).await.unwrap()
    }

    pub(super) async fn send(&self, route: &Route, path: &str, as_whom: &Credential) -> Answer {
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

pub(super) enum Credential {
    Nothing,
    Key(String),
    Token(String),
}
