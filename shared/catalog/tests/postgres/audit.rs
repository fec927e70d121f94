//! What is done is told with it: in the audit log, which is a chain, and in the activity, which is not.

use app::ports::{Act, Activity, Actor, AuditEntry, Ids as _, Outcome};
use catalog::{ActivityFilter, MembershipPatch, NewService, OUT_OF_REACH, TeamPatch};
use domain::{Environment, MemberId, Role};
use serde_json::{Map, Value, json};

use crate::support::{World, rule};

impl World {
    /// What a person does from somewhere, as an admin.
    fn act_from_somewhere(&self) -> Act {
        Act {
            actor: Actor::Member(self.ids.next().into()),
            role: Some(Role::Admin),
            ip: Some("192.0.2.7".parse().unwrap()),
            user_agent: Some("curl".repeat(200)),
            request_id: Some("r-1".to_owned()),
            ..self.act()
        }
    }

    /// Our team gets another name, which is told.
    async fn renamed(&self, name: &str) -> Act {
        let patch = TeamPatch { name: Some(name.to_owned()), ..TeamPatch::default() };
        let act = self.act_from_somewhere();
        self.catalog.team_update(self.ours, &patch, &act).await.unwrap();
        act
    }

    /// What somebody with all rights to the database does to the log.
    async fn tamper(&self, sql: &str) {
        let unlocked = format!(
            "alter table audit_log disable trigger all; {sql}; alter table audit_log enable trigger all"
        );
        self.sql(&unlocked).await.unwrap();
    }
}

fn details(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn ten_11_what_is_done_is_told_in_both_logs_with_who_and_from_where() {
    let world = World::new().await;
    let World { catalog, ours, .. } = &world;
    let act = world.renamed("Looms").await;
    let [told] = &catalog.audit_list(*ours, None, 10).await.unwrap()[..] else { panic!("one entry") };
    let expected = AuditEntry {
        id: act.id,
        actor: act.actor,
        action: "team.update".to_owned(),
        resource_kind: "team".to_owned(),
        resource_id: Some(ours.uuid()),
        outcome: Outcome::Allowed,
        details: details(&json!({"name": "Looms", "acting_as": "admin"})),
        ip: act.ip,
        request_id: act.request_id.clone(),
        at: act.at,
    };
    assert_eq!((told.number, &told.entry), (1, &expected));
    let noted = catalog.activity_list(*ours, ActivityFilter::default(), None, 10).await.unwrap();
    let expected = Activity {
        id: act.id,
        actor: act.actor,
        action: "team.update".to_owned(),
        resource_kind: Some("team".to_owned()),
        resource_id: Some(ours.uuid()),
        details: details(&json!({"name": "Looms"})),
        ip: act.ip,
        user_agent: Some("curl".repeat(125)),
        at: act.at,
    };
    assert_eq!(noted, [expected]);
}

#[tokio::test]
async fn entries_are_numbered_and_chained_by_team_and_read_newest_first() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    for name in ["one", "two", "three"] {
        world.renamed(name).await;
    }
    let patch = TeamPatch { name: Some("theirs".to_owned()), ..TeamPatch::default() };
    catalog.team_update(*theirs, &patch, &world.act()).await.unwrap();

    let read = catalog.audit_list(*ours, None, 10).await.unwrap();
    assert_eq!(read.iter().map(|audited| audited.number).collect::<Vec<_>>(), [3, 2, 1]);
    let names: Vec<_> = read.iter().map(|audited| audited.entry.details["name"].clone()).collect();
    assert_eq!(names, [json!("three"), json!("two"), json!("one")]);
    let older = catalog.audit_list(*ours, Some(3), 1).await.unwrap();
    assert_eq!(older, read[1..2]);
    let foreign = catalog.audit_list(*theirs, None, 10).await.unwrap();
    assert_eq!((foreign.len(), foreign[0].number, foreign[0].entry.actor), (1, 1, Actor::System));

    let verified = catalog.audit_verify(*ours).await.unwrap();
    assert_eq!((verified.entries, verified.broken_at), (3, None));
    assert_eq!(verified.head.as_ref(), Some(&read[0].hash));
    let nothing = catalog.audit_verify(world.ids.next().into()).await.unwrap();
    assert_eq!((nothing.entries, nothing.head, nothing.broken_at), (0, None, None));
}

#[tokio::test]
async fn what_failed_is_not_told_and_what_cannot_be_told_is_not_done() {
    let world = World::new().await;
    let World { catalog, ours, .. } = &world;
    let new =
        || NewService { id: world.ids.next().into(), name: "shop".to_owned(), environment: Environment::Dev };
    let act = world.act();
    catalog.service_insert(*ours, &new(), &act).await.unwrap();
    assert!(catalog.service_insert(*ours, &new(), &world.act()).await.is_err(), "the name is taken");
    assert_eq!(catalog.audit_list(*ours, None, 10).await.unwrap().len(), 1);

    // An act has one entry: with the same id a second one can't be written.
    let patch = TeamPatch { name: Some("Untold".to_owned()), ..TeamPatch::default() };
    assert!(catalog.team_update(*ours, &patch, &act).await.is_err());
    assert_eq!(catalog.team_get(*ours).await.unwrap().name, "Ours");
}

#[tokio::test]
async fn ten_11_what_was_out_of_reach_is_told_as_denied_to_the_audit_log_alone() {
    let world = World::new().await;
    let World { catalog, ours, ids, .. } = &world;
    let admin = world.member("admin@example.com").await;
    catalog.team_join(*ours, admin, Role::Admin, ids.next(), &world.act()).await.unwrap();
    let patch = MembershipPatch { role: Some(Role::Owner), permissions: None };
    let refused = catalog.team_member_update(*ours, admin, &patch, &world.act_of(admin)).await;
    assert_eq!(rule(refused), OUT_OF_REACH);
    let log = catalog.audit_list(*ours, None, 10).await.unwrap();
    assert_eq!((log.len(), log[0].entry.action.as_str()), (2, "member.update"));
    assert_eq!((log[0].entry.outcome, &log[0].entry.details["role"]), (Outcome::Denied, &json!("owner")));
    let noted = catalog.activity_list(*ours, ActivityFilter::default(), None, 10).await.unwrap();
    assert_eq!(noted.len(), 1, "that they joined");
    assert_eq!(catalog.team_member(*ours, admin).await.unwrap().role, Role::Admin);
}

#[tokio::test]
async fn the_audit_log_outlives_its_team() {
    let world = World::new().await;
    world.renamed("Looms").await;
    world.catalog.team_delete(world.ours, &world.act()).await.unwrap();
    let log = world.catalog.audit_list(world.ours, None, 10).await.unwrap();
    assert_eq!((log.len(), log[0].entry.action.as_str()), (2, "team.delete"));
    let noted = world.catalog.activity_list(world.ours, ActivityFilter::default(), None, 10).await.unwrap();
    assert_eq!(noted, []);
}

#[tokio::test]
async fn many_at_the_same_moment_make_one_chain() {
    let world = World::new().await;
    futures::future::join_all((0..20).map(|_| world.renamed("x"))).await;
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
            world.renamed("a").await;
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
        world.renamed("a").await;
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
    let ada = MemberId::new(ids.next());
    let new = |name: &str| NewService {
        id: ids.next().into(),
        name: name.to_owned(),
        environment: Environment::Dev,
    };
    let (shop, mill) = (new("shop"), new("mill"));
    let (one, two, three) = (world.act_of(ada), world.act(), world.act_of(ada));
    catalog.service_insert(*ours, &shop, &one).await.unwrap();
    catalog.service_rename(*ours, shop.id, "store", &two).await.unwrap();
    catalog.service_insert(*ours, &mill, &three).await.unwrap();
    let list = async |filter, before, limit| -> Vec<uuid::Uuid> {
        let found = catalog.activity_list(*ours, filter, before, limit).await.unwrap();
        found.into_iter().map(|activity| activity.id).collect()
    };

    let all = ActivityFilter::default();
    assert_eq!(list(all, None, 10).await, [three.id, two.id, one.id]);
    assert_eq!(list(all, Some(three.id), 1).await, [two.id]);
    let by_ada = ActivityFilter { actor_id: Some(ada.uuid()), ..all };
    assert_eq!(list(by_ada, None, 10).await, [three.id, one.id]);
    let about = ActivityFilter { resource_id: Some(shop.id.uuid()), ..all };
    assert_eq!(list(about, None, 10).await, [two.id, one.id]);
    assert_eq!(catalog.activity_list(*theirs, all, None, 10).await.unwrap(), []);
}
