use app::ports::{AtOnce, Ids as _, LimitPolicies as _, Retention, RetentionPolicies as _, RunningLimit};
use catalog::NewMember;
use domain::{MemberId, Role, TeamId};
use serde_json::json;

use crate::support::{ALL, World, is_not_found, rule};

fn member(id: MemberId, email: &str) -> NewMember {
    NewMember { id, first_name: "Ada".to_owned(), last_name: "Lovelace".to_owned(), email: email.to_owned() }
}

#[tokio::test]
async fn a_team_lists_its_members_with_their_roles() {
    let world = World::new().await;
    let World { catalog, ours, theirs, ids, .. } = &world;
    let (ada, bob) = (MemberId::new(ids.next()), MemberId::new(ids.next()));
    catalog.member_insert(&member(ada, "Ada@Example.com")).await.unwrap();
    catalog.member_insert(&member(bob, "bob@example.com")).await.unwrap();

    catalog.team_join(*ours, ada, Role::Owner, ids.next(), &world.act()).await.unwrap();
    catalog.team_join(*ours, bob, Role::Editor, ids.next(), &world.act()).await.unwrap();

    let members = catalog.team_members(*ours, ALL).await.unwrap().items;
    let seen: Vec<_> = members.iter().map(|member| (member.email.as_str(), member.role)).collect();
    assert_eq!(seen, [("ada@example.com", Role::Owner), ("bob@example.com", Role::Editor)]);
    assert_eq!(catalog.team_members(*theirs, ALL).await.unwrap().total, 0);
}

#[tokio::test]
async fn the_second_use_of_an_address_and_a_second_membership_name_their_rule() {
    let world = World::new().await;
    let World { catalog, ours, ids, .. } = &world;
    let ada = MemberId::new(ids.next());
    catalog.member_insert(&member(ada, "ada@example.com")).await.unwrap();
    catalog.team_join(*ours, ada, Role::Owner, ids.next(), &world.act()).await.unwrap();

    let again = catalog.member_insert(&member(ids.next().into(), "ADA@example.com")).await;
    assert_eq!(rule(again), "uq_members_email");
    let again = catalog.team_join(*ours, ada, Role::Viewer, ids.next(), &world.act()).await;
    assert_eq!(rule(again), "uq_team_members_team_id_member_id");
}

#[tokio::test]
async fn a_deleted_team_is_gone_with_its_workflows() {
    let world = World::new().await;
    let workflow = world.workflow("w").await;

    world.catalog.team_delete(world.ours, &world.act()).await.unwrap();

    assert!(is_not_found(&world.catalog.team_get(world.ours).await));
    assert!(is_not_found(&world.catalog.team_delete(world.ours, &world.act()).await));
    assert!(is_not_found(&world.catalog.workflow_get(world.ours, workflow.id).await));
    assert_eq!(world.catalog.team_get(world.theirs).await.unwrap().name, "Theirs");
}

#[tokio::test]
async fn only_whole_days_are_a_wish_to_part_with_runs() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    let set = async |team: &TeamId, settings: serde_json::Value| {
        let update = sqlx::query("update teams set settings = $2 where id = $1");
        update.bind(team.uuid()).bind(settings).execute(world.pool()).await.unwrap();
    };
    assert_eq!(catalog.retentions().await.unwrap(), []);
    set(ours, json!({"retention_days": 30})).await;
    for odd in [json!(0), json!(-1), json!(1.5), json!("7"), json!(null), json!(70_000), json!([7])] {
        set(theirs, json!({"retention_days": odd})).await;
        assert_eq!(catalog.retentions().await.unwrap(), [Retention { team_id: *ours, days: 30 }], "{odd}");
    }
}

#[tokio::test]
async fn only_whole_numbers_within_bounds_are_limits() {
    let world = World::new().await;
    let World { catalog, ours, theirs, .. } = &world;
    let set = async |team: &TeamId, settings: serde_json::Value| {
        let update = sqlx::query("update teams set settings = $2 where id = $1");
        update.bind(team.uuid()).bind(settings).execute(world.pool()).await.unwrap();
    };
    assert_eq!(catalog.limits().await.unwrap(), []);
    let both = AtOnce { runs: Some(1000), steps: Some(7) };
    set(ours, json!({"max_running_runs": 1000, "max_running_steps": 7})).await;
    let ours = RunningLimit { team_id: *ours, at_once: both };
    for odd in [json!(0), json!(-1), json!(1.5), json!("7"), json!(null), json!(1001), json!([7])] {
        set(theirs, json!({"max_running_runs": odd, "max_running_steps": odd})).await;
        assert_eq!(catalog.limits().await.unwrap(), [ours], "{odd}");
        set(theirs, json!({"max_running_runs": odd, "max_running_steps": 1000})).await;
        let at_once = AtOnce { runs: None, steps: Some(1000) };
        let theirs = RunningLimit { team_id: *theirs, at_once };
        let mut expected = [ours, theirs];
        expected.sort_by_key(|limit| limit.team_id);
        assert_eq!(catalog.limits().await.unwrap(), expected, "{odd}");
    }
}
