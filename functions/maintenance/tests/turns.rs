//! Turns of maintenance, on fakes.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use app::{
    fakes::{
        ManualClock, MemoryExports, MemoryQueue, MemoryRunStore, MemorySecretCatalog, MemorySecretCopies,
        MemorySecrets, MemorySessions, SequentialEntropy, SequentialIds, a_run, a_version, graph, team,
    },
    ports::{
        Act, Clock as _, Hint, Name, NewToken, Retention, RetentionPolicies, RunStore as _,
        SealedSecrets as _, SecretValue, Sessions as _, StoreError,
    },
};
use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{RunStatus, SessionId, TeamId, Timestamp, UserId};
use engine::Run;
use maintenance::{Agenda, Kept, State, handle};
use serde_json::json;
use uuid::Uuid;
use vault::{Keeper, MasterRing, SecretTeller};

/// Teams that part with their runs, and how often somebody asked for them.
#[derive(Default)]
struct Policies {
    teams: Mutex<Vec<Retention>>,
    asked: AtomicU32,
}

#[async_trait]
impl RetentionPolicies for Policies {
    async fn retentions(&self) -> Result<Vec<Retention>, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(self.teams.lock().unwrap().clone())
    }
}

struct World {
    store: Arc<MemoryRunStore>,
    queue: Arc<MemoryQueue>,
    exports: Arc<MemoryExports>,
    policies: Arc<Policies>,
    clock: Arc<ManualClock>,
    secrets: Arc<MemorySecretCatalog>,
    copies: Arc<MemorySecretCopies>,
    deployment: Arc<MemorySecrets>,
    sessions: Arc<MemorySessions>,
    state: State,
}

impl World {
    fn new() -> Self {
        let (store, queue) = (Arc::new(MemoryRunStore::default()), Arc::new(MemoryQueue::default()));
        let (exports, policies) = (Arc::new(MemoryExports::default()), Arc::new(Policies::default()));
        let clock = Arc::new(ManualClock::default());
        let secrets = Arc::new(MemorySecretCatalog::default());
        let (copies, deployment) =
            (Arc::new(MemorySecretCopies::default()), Arc::new(MemorySecrets::default()));
        let teller = Arc::new(SecretTeller::new(secrets.clone(), copies.clone()));
        let (ids, entropy) = (Arc::new(SequentialIds::default()), Arc::new(SequentialEntropy::default()));
        let masters = MasterRing::creating(deployment.clone(), clock.clone(), entropy.clone());
        let keeper = Keeper::new(secrets.clone(), secrets.clone(), teller.clone(), masters, ids, entropy);
        let sessions = Arc::new(MemorySessions::default());
        let state = State {
            store: store.clone(),
            ended: store.clone(),
            exports: exports.clone(),
            policies: policies.clone(),
            agenda: Agenda::default(),
            queue: queue.clone(),
            outbox: secrets.clone(),
            tellers: vec![teller],
            keeper,
            sessions: sessions.clone(),
            clock: clock.clone(),
        };
        Self { store, queue, exports, policies, clock, secrets, copies, deployment, sessions, state }
    }

    async fn turn(&self) -> Kept {
        handle(&self.state).await.unwrap()
    }

    /// A team that keeps its runs for so many days, with runs that ended so many days ago.
    async fn team(&self, days: u16, ended: &[i64]) -> TeamId {
        let version = a_version(
            team(),
            graph(json!({"nodes": [{"key": "a", "node_type": "advanced", "metadata": {"program": "1"}}]})),
        );
        self.store.put_version(&version).await.unwrap();
        for days_ago in ended {
            let ended_on = self.clock.now() - TimeDelta::days(*days_ago);
            let run = Run { version_id: version.id, ..a_run(version.team_id, ended_on) };
            self.store.create(&run, &json!({}), None).await.unwrap();
            let run = Run {
                revision: 1,
                status: RunStatus::Succeeded,
                finished_on: Some(ended_on),
                next_check_on: None,
                ..run
            };
            self.store.commit(&run, &[]).await.unwrap();
        }
        self.policies.teams.lock().unwrap().push(Retention { team_id: version.team_id, days });
        version.team_id
    }

    async fn left(&self, team: TeamId) -> usize {
        self.store.list(team, &app::ports::RunFilter::default(), None, 1000).await.unwrap().items.len()
    }
}

#[tokio::test]
async fn a_run_that_nobody_looks_after_gets_one_hint_and_others_none() {
    let world = World::new();
    assert_eq!(world.turn().await, Kept::default());

    let lost = a_run(team(), world.clock.now() - TimeDelta::minutes(5));
    let fresh = a_run(team(), world.clock.now());
    for run in [&lost, &fresh] {
        world.store.create(run, &json!({}), None).await.unwrap();
    }
    assert_eq!(world.turn().await, Kept { reminded: 1, ..Kept::default() });
    assert_eq!(world.queue.take(), [(Hint::at(&lost), 0)]);
}

#[tokio::test]
async fn a_session_that_is_over_is_forgotten() {
    let world = World::new();
    let (now, user) = (world.clock.now(), UserId::new(team().uuid()));
    for (number, days) in [(1, 1), (2, 3)] {
        let token = NewToken {
            id: Uuid::from_u128(number),
            sha256: [u8::try_from(number).unwrap(); 32],
            expires_at: now + TimeDelta::days(days),
            ip: None,
            user_agent: None,
        };
        world.sessions.begin(user, SessionId::new(token.id), &token, now).await.unwrap();
    }
    assert_eq!(world.turn().await, Kept::default());
    world.clock.advance(TimeDelta::days(2));
    assert_eq!(world.turn().await, Kept { forgotten: 1, ..Kept::default() });
    assert_eq!(world.sessions.list(user, now).await.unwrap().len(), 1);
}

#[tokio::test]
async fn each_team_parts_with_the_runs_that_are_over_its_own_time() {
    let world = World::new();
    let short = world.team(7, &[6, 8, 100]).await;
    let long = world.team(90, &[6, 8, 100]).await;
    assert_eq!(world.turn().await, Kept { exported: 3, purged: 3, ..Kept::default() });
    assert_eq!((world.left(short).await, world.left(long).await), (1, 2));
    assert_eq!((world.exports.names(short).len(), world.exports.names(long).len()), (1, 1));
}

#[tokio::test]
async fn a_team_with_many_old_runs_takes_turns_with_the_others_until_none_is_left() {
    let world = World::new();
    let many = world.team(7, &[30; 250]).await;
    let few = world.team(7, &[30; 3]).await;
    assert_eq!(world.turn().await, Kept { exported: 253, purged: 253, ..Kept::default() });
    assert_eq!((world.left(many).await, world.left(few).await), (0, 0));
    assert_eq!(world.exports.names(many).len(), 3, "a hundred at a time");
}

#[tokio::test]
async fn the_catalog_is_asked_every_ten_minutes_and_not_every_turn() {
    let world = World::new();
    for _ in 0..25 {
        world.turn().await;
        world.clock.advance(TimeDelta::minutes(1));
    }
    assert_eq!(world.policies.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn what_was_not_told_is_told_and_keys_are_wrapped_anew() {
    let (world, team) = (World::new(), team());
    let value = SecretValue::new("value".to_owned());
    world.copies.refuse(true);
    world
        .state
        .keeper
        .put(team, "SHOP", &value, &Act::of_system(team.uuid(), Timestamp::UNIX_EPOCH))
        .await
        .unwrap();
    assert_eq!(world.turn().await, Kept::default());
    world.copies.refuse(false);
    assert_eq!(world.turn().await, Kept { told: 1, ..Kept::default() });
    let (_, before) = world.copies.sealed(team, "SHOP").await.unwrap();

    let name = Name::parse("master-keys").unwrap();
    let current = app::ports::DeploymentSecrets::read(&*world.deployment, &name).await.unwrap();
    let current: serde_json::Value = serde_json::from_str(&current).unwrap();
    let rotated =
        json!({"current": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc", "previous": current["current"]});
    world.deployment.replace(&name, &rotated.to_string());
    world.clock.advance(TimeDelta::minutes(5));
    assert_eq!(world.turn().await, Kept { rewrapped: 1, ..Kept::default() });
    let (_, after) = world.copies.sealed(team, "SHOP").await.unwrap();
    assert!(before.id == after.id && before.master_key_id != after.master_key_id);
    assert_eq!(world.turn().await, Kept::default());
    assert_eq!(world.secrets.sealed(team, "SHOP").await.unwrap().1, after);
}
