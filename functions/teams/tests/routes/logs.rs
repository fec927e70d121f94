//! What was done in a team.

use domain::Role;
use heddle_http::testing::{by_token, call, for_team, request, through_api_gateway};
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn ten_10_activity_is_read_in_pages_and_from_where_is_told_to_admins() {
    let world = World::new().await;
    let (owner, viewer) =
        (world.joined("owner", Role::Owner).await, world.joined("viewer", Role::Viewer).await);
    for name in ["One", "Two", "Three"] {
        let path = format!("/api/v1/{}", world.path(""));
        let mut request = heddle_http::testing::request_with("PATCH", &path, "", &json!({"name": name}));
        request.headers_mut().insert("user-agent", "loom/1".parse().unwrap());
        assert_eq!(call(&world.router, by_token(request, &owner.token)).await.code(), 200);
    }
    let first = world.get(&owner, "activity?limit=2").await.body;
    let seen = &first["items"][0];
    assert_eq!((&seen["action"], &seen["details"]), (&json!("team.update"), &json!({"name": "Three"})));
    assert_eq!(
        (&seen["actor"], &seen["user_agent"]),
        (&json!({"kind": "member", "id": owner.id}), &json!("loom/1"))
    );
    let next = first["next_cursor"].as_str().unwrap();
    let second = world.get(&owner, &format!("activity?limit=2&cursor={next}")).await.body;
    assert_eq!(second["items"][0]["details"], json!({"name": "One"}));
    let by_owner = world.get(&viewer, &format!("activity?actor_id={}", owner.id)).await.body;
    assert_eq!((by_owner["items"].as_array().unwrap().len(), &by_owner["next_cursor"]), (3, &Value::Null));
    assert_eq!(by_owner["items"][0]["user_agent"], Value::Null);
    let about = world.get(&viewer, &format!("activity?resource_id={}", viewer.id)).await.body;
    assert_eq!(about["items"][0]["action"], "member.join");
    for bad in ["limit=0", "cursor=x", "actor_id=x", "page=2"] {
        assert_eq!(world.get(&owner, &format!("activity?{bad}")).await.problem_code(), "validation", "{bad}");
    }
}

#[tokio::test]
async fn ten_11_who_changed_what_is_in_the_audit_log_with_what_was_refused() {
    let world = World::new().await;
    let (owner, admin) = (world.joined("owner", Role::Owner).await, world.joined("admin", Role::Admin).await);
    assert_eq!(world.make(&admin, &owner, "viewer").await.code(), 403);
    let done = world.make(&owner, &admin, "editor").await;
    let log = world.get(&owner, "audit?limit=2").await.body;
    let entry = |place: usize| {
        let entry = &log["items"][place];
        (entry["number"].clone(), entry["action"].clone(), entry["outcome"].clone(), entry["details"].clone())
    };
    assert_eq!(
        entry(0),
        (json!(4), json!("member.update"), json!("allowed"), json!({"role": "editor", "acting_as": "owner"}))
    );
    assert_eq!(
        entry(1),
        (json!(3), json!("member.update"), json!("denied"), json!({"role": "viewer", "acting_as": "admin"}))
    );
    assert_eq!(log["items"][0]["request_id"], done.header("x-request-id"));
    assert_eq!(log["items"][0]["resource_id"], json!(admin.id));
    let next = log["next_cursor"].as_str().unwrap();
    let rest = world.get(&owner, &format!("audit?cursor={next}")).await.body;
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (2, &Value::Null));
    for bad in ["limit=101", "cursor=-1", "x=1"] {
        assert_eq!(world.get(&owner, &format!("audit?{bad}")).await.problem_code(), "validation", "{bad}");
    }
}

#[tokio::test]
async fn what_comes_through_api_gateway_is_told_with_where_it_came_from_and_its_id() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let event = include_str!("../../../../events/http-teams-create.json");
    let event = event.replace("replace-this-by-an-access-token", &ada.token);
    let made = through_api_gateway(world.router.clone(), &event).await;
    assert_eq!(made["statusCode"], 201, "{made}");
    let log = world.get(&ada, "audit").await.body;
    let told = &log["items"][0];
    assert_eq!((&told["action"], &told["ip"]), (&json!("team.create"), &json!("203.0.113.7")));
    assert_eq!(told["request_id"], "JKJaXmPLvHcESHA=");
    assert_eq!(world.get(&ada, "activity").await.body["items"][0]["user_agent"], "curl/8.5.0");
}

#[tokio::test]
async fn ten_11_the_audit_log_proves_itself() {
    let world = World::new().await;
    let owner = world.joined("owner", Role::Owner).await;
    world.joined("viewer", Role::Viewer).await;
    let whole = world.get(&owner, "audit/verify").await.body;
    assert_eq!(
        (&whole["is_whole"], &whole["entries"], &whole["broken_at"]),
        (&json!(true), &json!(2), &Value::Null)
    );
    let newest = world.get(&owner, "audit?limit=1").await.body;
    assert_eq!(whole["head"], newest["items"][0]["hash"]);
    let tampered =
        "alter table audit_log disable trigger all; update audit_log set action = 'x' where number = 1;
        alter table audit_log enable trigger all";
    world.sql(tampered).await;
    let broken = world.get(&owner, "audit/verify").await.body;
    assert_eq!((&broken["is_whole"], &broken["broken_at"]), (&json!(false), &json!(1)));
}

#[tokio::test]
async fn the_audit_log_is_for_admins_and_nobody_reads_another_teams() {
    let world = World::new().await;
    world.joined("owner", Role::Owner).await;
    for (name, role, code) in
        [("viewer", Role::Viewer, 403), ("editor", Role::Editor, 403), ("admin", Role::Admin, 200)]
    {
        let member = world.joined(name, role).await;
        for path in ["audit", "audit/verify"] {
            assert_eq!(world.get(&member, path).await.code(), code, "{name} {path}");
        }
    }
    let eve = world.person("eve").await;
    world.send(&eve, "POST", "teams", &json!({"name": "Eve's"})).await;
    let own = world.get(&eve, "audit").await.body;
    assert_eq!(
        (own["items"].as_array().unwrap().len(), &own["items"][0]["action"]),
        (1, &json!("team.create"))
    );
    for path in ["audit", "audit/verify", "activity"] {
        let request = by_token(request("GET", &format!("/api/v1/{path}"), ""), &eve.token);
        assert_eq!(call(&world.router, for_team(request, world.team)).await.code(), 404);
    }
}
