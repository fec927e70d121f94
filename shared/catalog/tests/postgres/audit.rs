//! The audit log is a chain, and the activity beside it is not.

use app::ports::{Activities as _, Activity, Actor, AuditEntry, AuditLog as _, Ids as _, Outcome};
use catalog::ActivityFilter;
use domain::Timestamp;
use serde_json::{Map, json};

use crate::support::World;

impl World {
    fn entry(&self, action: &str) -> AuditEntry {
        AuditEntry {
            id: self.ids.next(),
            actor: Actor::Member(self.ids.next().into()),
            action: action.to_owned(),
            resource_kind: "workflow".to_owned(),
            resource_id: Some(self.ids.next()),
            outcome: Outcome::Allowed,
            details: Map::from_iter([("z".to_owned(), json!(1.50)), ("a".to_owned(), json!({"b": "ä\n"}))]),
            ip: Some("192.0.2.7".parse().unwrap()),
            request_id: Some("r-1".to_owned()),
            at: Timestamp::from_timestamp_micros(1_770_000_000_123_456).unwrap(),
        }
    }

    /// What somebody with all rights to the database does to the log.
    async fn tamper(&self, sql: &str) {
        let unlocked = format!(
            "alter table audit_log disable trigger all; {sql}; alter table audit_log enable trigger all"
        );
        self.sql(&unlocked).await.unwrap();
    }
}

#[tokio::test]
async fn entries_are_numbered_and_chained_by_team_and_read_newest_first() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    let entries = ["one", "two", "three"].map(|action| world.entry(action));
    for entry in &entries {
        catalog.audit(*ours, entry).await.unwrap();
    }
    let system = AuditEntry { actor: Actor::System, resource_id: None, ip: None, ..world.entry("theirs") };
    catalog.audit(*theirs, &system).await.unwrap();

    let read = catalog.audit_list(*ours, None, 10).await.unwrap();
    assert_eq!(read.iter().map(|audited| audited.number).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(
        read.iter().map(|audited| &audited.entry).rev().collect::<Vec<_>>(),
        entries.iter().collect::<Vec<_>>()
    );
    let older = catalog.audit_list(*ours, Some(3), 1).await.unwrap();
    assert_eq!(older, read[1..2]);
    assert_eq!(catalog.audit_list(*theirs, None, 10).await.unwrap()[0].entry, system);

    let verified = catalog.audit_verify(*ours).await.unwrap();
    assert_eq!((verified.entries, verified.broken_at), (3, None));
    assert_eq!(verified.head.as_ref(), Some(&read[0].hash));
    let nothing = catalog.audit_verify(world.ids.next().into()).await.unwrap();
    assert_eq!((nothing.entries, nothing.head, nothing.broken_at), (0, None, None));
}

#[tokio::test]
async fn many_at_the_same_moment_make_one_chain() {
    let world = World::new().await;
    let entries: Vec<AuditEntry> = (0..20).map(|_| world.entry("x")).collect();
    let written =
        futures::future::join_all(entries.iter().map(|entry| world.catalog.audit(world.ours, entry))).await;
    assert!(written.iter().all(Result::is_ok));
    let verified = world.catalog.audit_verify(world.ours).await.unwrap();
    assert_eq!((verified.entries, verified.broken_at), (20, None));
}

#[tokio::test]
async fn whatever_is_changed_taken_out_or_turned_around_is_found() {
    let changes = [
        ("update audit_log set action = 'x' where number = 3", 3),
        ("update audit_log set details = '{}' where number = 3", 3),
        ("update audit_log set outcome = 'denied' where number = 2", 2),
        ("update audit_log set actor_id = gen_random_uuid() where number = 2", 2),
        ("update audit_log set created_on = created_on + interval '1 microsecond' where number = 4", 4),
        ("update audit_log set ip = null where number = 5", 5),
        ("update audit_log set hash = sha256('x') where number = 5", 5),
        ("delete from audit_log where number = 3", 4),
        ("delete from audit_log where number = 1", 2),
        (
            "update audit_log set number = 9 where number = 2; update audit_log set number = 2 where number = 3;
            update audit_log set number = 3 where number = 9",
            2,
        ),
        // With its own hash made good again, the next one tells.
        (
            "update audit_log set action = 'x' where number = 3;
            update audit_log a set hash = audit_hash(a) where number = 3",
            4,
        ),
    ];
    for (change, broken_at) in changes {
        let world = World::new().await;
        for _ in 0..5 {
            world.catalog.audit(world.ours, &world.entry("a")).await.unwrap();
        }
        world.tamper(change).await;
        let verified = world.catalog.audit_verify(world.ours).await.unwrap();
        assert_eq!(verified.broken_at, Some(broken_at), "{change}");
    }
}

#[tokio::test]
async fn an_end_that_was_cut_off_shows_by_its_head() {
    let world = World::new().await;
    for _ in 0..3 {
        world.catalog.audit(world.ours, &world.entry("a")).await.unwrap();
    }
    let before = world.catalog.audit_verify(world.ours).await.unwrap();
    world.tamper("delete from audit_log where number = 3").await;
    let after = world.catalog.audit_verify(world.ours).await.unwrap();
    assert_eq!(after.broken_at, None);
    assert!((after.entries, &after.head) != (before.entries, &before.head));
}

#[tokio::test]
async fn activity_is_listed_by_whom_and_about_what() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    let (ada, shop, workflow) = (ids.next(), ids.next(), ids.next());
    let note = async |actor: Actor, resource: Option<uuid::Uuid>| {
        let activity = Activity {
            id: ids.next(),
            actor,
            action: "workflow.run".to_owned(),
            resource_kind: resource.map(|_| "workflow".to_owned()),
            resource_id: resource,
            details: Map::new(),
            ip: None,
            user_agent: Some("curl".to_owned()),
            at: Timestamp::from_timestamp(1_770_000_000, 0).unwrap(),
        };
        catalog.note(*ours, &activity).await.unwrap();
        activity
    };
    let one = note(Actor::Member(ada.into()), Some(workflow)).await;
    let two = note(Actor::Service(shop.into()), Some(workflow)).await;
    let three = note(Actor::Member(ada.into()), None).await;
    let list =
        async |filter, before, limit| catalog.activity_list(*ours, filter, before, limit).await.unwrap();

    let all = ActivityFilter::default();
    assert_eq!(list(all, None, 10).await, [three.clone(), two.clone(), one.clone()]);
    assert_eq!(list(all, Some(three.id), 1).await, std::slice::from_ref(&two));
    let by_ada = ActivityFilter { actor_id: Some(ada), ..all };
    assert_eq!(list(by_ada, None, 10).await, [three, one.clone()]);
    let about = ActivityFilter { resource_id: Some(workflow), ..all };
    assert_eq!(list(about, None, 10).await, [two, one]);
    assert_eq!(catalog.activity_list(*theirs, all, None, 10).await.unwrap(), []);
}
