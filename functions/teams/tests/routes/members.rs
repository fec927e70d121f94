//! Who is in a team, and as what.

use domain::Role;
use serde_json::{Value, json};

use crate::world::{UNKNOWN, World};

#[tokio::test]
async fn ten_09_members_are_listed_with_what_they_may_do() {
    let world = World::new().await;
    let owner = world.joined("owner", Role::Owner).await;
    let viewer = world.joined("viewer", Role::Viewer).await;
    let exceptions = json!({"exceptions": {"workflows:execute": true}});
    assert_eq!(world.send(&owner, "PATCH", &world.member_path(&viewer), &exceptions).await.code(), 200);
    let page = world.get(&viewer, &world.path("/members?limit=1&offset=1")).await.body;
    assert_eq!((&page["total"], &page["limit"], &page["offset"]), (&json!(2), &json!(1), &json!(1)));
    let seen = &page["items"][0];
    assert_eq!((&seen["email"], &seen["role"]), (&json!("viewer@example.com"), &json!("viewer")));
    assert_eq!(seen["exceptions"], json!({"workflows:execute": true}));
    let permissions = seen["permissions"].as_array().unwrap();
    assert!(
        permissions.contains(&json!("workflows:execute")) && !permissions.contains(&json!("workflows:edit"))
    );
}

#[tokio::test]
async fn ten_04_nobody_gives_a_role_above_their_own() {
    let world = World::new().await;
    let (owner, admin) = (world.joined("owner", Role::Owner).await, world.joined("admin", Role::Admin).await);
    let viewer = world.joined("viewer", Role::Viewer).await;
    assert_eq!(world.make(&admin, &viewer, "owner").await.code(), 403);
    assert_eq!(world.make(&admin, &admin, "owner").await.code(), 403);
    assert_eq!(world.role_of(&owner, &viewer).await, "viewer");
    let made = world.make(&admin, &viewer, "admin").await;
    assert_eq!((made.code(), &made.body["role"]), (200, &json!("admin")));
    assert_eq!(world.make(&owner, &viewer, "owner").await.body["role"], "owner");
}

#[tokio::test]
async fn ten_04_nobody_touches_somebody_above_them() {
    let world = World::new().await;
    let (owner, admin) = (world.joined("owner", Role::Owner).await, world.joined("admin", Role::Admin).await);
    world.joined("owner2", Role::Owner).await;
    assert_eq!(world.make(&admin, &owner, "viewer").await.code(), 403);
    let exceptions = json!({"exceptions": {"audit:view": false}});
    assert_eq!(world.send(&admin, "PATCH", &world.member_path(&owner), &exceptions).await.code(), 403);
    assert_eq!(world.send(&admin, "DELETE", &world.member_path(&owner), &Value::Null).await.code(), 403);
    assert_eq!(world.role_of(&owner, &owner).await, "owner");
}

#[tokio::test]
async fn ten_06_nobody_grants_what_they_do_not_have() {
    let world = World::new().await;
    let (owner, admin) = (world.joined("owner", Role::Owner).await, world.joined("admin", Role::Admin).await);
    let viewer = world.joined("viewer", Role::Viewer).await;
    let (path, grant) = (world.member_path(&viewer), json!({"exceptions": {"secrets:manage": true}}));
    let less = json!({"exceptions": {"secrets:manage": false}});
    assert_eq!(world.send(&owner, "PATCH", &world.member_path(&admin), &less).await.code(), 200);
    assert_eq!(world.send(&admin, "PATCH", &path, &grant).await.code(), 403);
    let back = json!({"exceptions": {}});
    assert_eq!(
        world.send(&admin, "PATCH", &world.member_path(&admin), &back).await.code(),
        403,
        "nor to themselves"
    );
    assert_eq!(world.send(&owner, "PATCH", &path, &grant).await.code(), 200);
}

#[tokio::test]
async fn ten_05_viewers_and_editors_touch_nobody() {
    let world = World::new().await;
    let owner = world.joined("owner", Role::Owner).await;
    let other = world.joined("other", Role::Viewer).await;
    for (name, role) in [("viewer", Role::Viewer), ("editor", Role::Editor)] {
        let member = world.joined(name, role).await;
        assert_eq!(world.make(&member, &other, "viewer").await.code(), 403);
        assert_eq!(world.make(&member, &member, "viewer").await.code(), 403);
        assert_eq!(world.send(&member, "DELETE", &world.member_path(&other), &Value::Null).await.code(), 403);
        let invite = json!({"email": "x@example.com", "role": "viewer"});
        assert_eq!(world.send(&member, "POST", &world.path("/invite"), &invite).await.code(), 403);
    }
    assert_eq!(world.role_of(&owner, &other).await, "viewer");
    assert!(world.mailer.take().is_empty());
}

#[tokio::test]
async fn anybody_may_leave_and_admins_take_others_out() {
    let world = World::new().await;
    let (owner, admin) = (world.joined("owner", Role::Owner).await, world.joined("admin", Role::Admin).await);
    let (viewer, editor) =
        (world.joined("viewer", Role::Viewer).await, world.joined("editor", Role::Editor).await);
    for (by, whom) in [(&viewer, &viewer), (&admin, &editor), (&admin, &admin)] {
        assert_eq!(world.send(by, "DELETE", &world.member_path(whom), &Value::Null).await.code(), 204);
        assert_eq!(world.get(whom, &world.path("")).await.code(), 404, "at once");
    }
    assert_eq!(world.get(&owner, &world.path("/members")).await.body["total"], 1);
}

#[tokio::test]
async fn a_member_of_nobody_is_not_found_like_one_of_another_team() {
    let world = World::new().await;
    let owner = world.joined("owner", Role::Owner).await;
    let stranger = world.person("stranger").await;
    for (method, body) in [("PATCH", json!({"role": "viewer"})), ("DELETE", Value::Null)] {
        let mut details = Vec::new();
        for member in [stranger.id.to_string(), UNKNOWN.to_owned(), "x".to_owned()] {
            let answer = world.send(&owner, method, &world.path(&format!("/members/{member}")), &body).await;
            details.push((answer.code(), answer.problem().detail));
        }
        assert!(details.iter().all(|detail| detail.0 == 404 && *detail == details[0]), "{details:?}");
    }
}

#[tokio::test]
async fn the_last_owner_stays_until_there_is_another() {
    let world = World::new().await;
    let (ada, bob) = (world.joined("ada", Role::Owner).await, world.joined("bob", Role::Admin).await);
    let path = world.member_path(&ada);
    for answer in
        [world.make(&ada, &ada, "admin").await, world.send(&ada, "DELETE", &path, &Value::Null).await]
    {
        assert_eq!((answer.code(), answer.problem_code().as_str()), (409, "last_owner"));
    }
    world.make(&ada, &bob, "owner").await;
    assert_eq!(world.send(&ada, "DELETE", &path, &Value::Null).await.code(), 204);
}

#[tokio::test]
async fn of_the_last_two_owners_who_are_demoted_at_the_same_moment_one_stays() {
    for _ in 0..5 {
        let world = World::new().await;
        let (ada, eve) = (world.joined("ada", Role::Owner).await, world.joined("eve", Role::Owner).await);
        let (one, other) =
            futures::future::join(world.make(&ada, &eve, "viewer"), world.make(&eve, &ada, "viewer")).await;
        let mut codes = [one.code(), other.code()];
        codes.sort_unstable();
        // Who comes second is a viewer by then: what they are now decides, whatever the gate saw.
        assert_eq!(codes, [200, 403], "{one:?} {other:?}");

        let (ada, eve) = (world.joined("ada2", Role::Owner).await, world.joined("eve2", Role::Owner).await);
        let (one, other) =
            futures::future::join(world.make(&ada, &ada, "viewer"), world.make(&eve, &eve, "viewer")).await;
        assert_eq!((one.code(), other.code()), (200, 200), "the first pair left an owner");
    }
}
