//! Teams themselves.

use domain::Role;
use heddle_http::testing::{by_token, call, check_openapi, hostile_bodies};
use serde_json::{Value, json};

use crate::world::{UNKNOWN, World, pointers};

#[tokio::test]
async fn the_document_and_the_routes_agree() {
    check_openapi(&World::new().await.router, "teams").await;
}

#[tokio::test]
async fn ten_08_who_founds_a_team_owns_it_and_nobody_else_sees_it() {
    let world = World::new().await;
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let made = world.send(&ada, "POST", "teams", &json!({"name": "Mills", "description": "Water"})).await;
    assert_eq!((made.code(), &made.body["name"], &made.body["settings"]), (201, &json!("Mills"), &json!({})));
    let path = made.header("location").strip_prefix("/api/v1/").unwrap();
    assert_eq!(world.get(&ada, path).await.body, made.body);
    let own = world.get(&ada, "teams").await.body;
    assert_eq!((&own["total"], &own["items"][0]["role"]), (&json!(1), &json!("owner")));
    assert_eq!(own["items"][0]["id"], made.body["id"]);
    assert_eq!(world.get(&eve, "teams").await.body["total"], 0);
    let changed = world.send(&ada, "PATCH", path, &json!({"name": "Wind mills"})).await;
    assert_eq!(
        (changed.code(), &changed.body["name"], &changed.body["description"]),
        (200, &json!("Wind mills"), &json!("Water"))
    );
    let members = world.get(&ada, &format!("{path}/members")).await.body;
    assert_eq!((&members["total"], &members["items"][0]["email"]), (&json!(1), &json!("ada@example.com")));
}

#[tokio::test]
async fn settings_that_heddle_reads_are_checked_and_others_kept() {
    let world = World::new().await;
    let owner = world.joined("owner", Role::Owner).await;
    let settings =
        json!({"max_running_runs": 20, "retention_days": 30, "max_running_steps": null, "color": {"hue": 7}});
    let set = world.send(&owner, "PATCH", &world.path(""), &json!({"settings": settings})).await;
    assert_eq!((set.code(), &set.body["settings"]), (200, &settings));
    let wrong = json!({
        "name": " \n", "description": "x".repeat(10_001),
        "settings": {"max_running_runs": 0, "max_running_steps": 1001, "retention_days": "30"},
    });
    let refused = world.send(&owner, "PATCH", &world.path(""), &wrong).await;
    let expected = [
        "/name",
        "/name",
        "/description",
        "/settings/max_running_runs",
        "/settings/max_running_steps",
        "/settings/retention_days",
    ];
    assert_eq!((refused.code(), pointers(&refused)), (422, expected.map(str::to_owned).into()));
    assert_eq!(world.get(&owner, &world.path("")).await.body, set.body);
}

#[tokio::test]
async fn what_is_not_anybodys_to_choose_is_refused_with_all_other_mistakes() {
    let world = World::new().await;
    let (owner, viewer) =
        (world.joined("owner", Role::Owner).await, world.joined("viewer", Role::Viewer).await);
    let member = world.member_path(&viewer);
    let team = world.path("");
    for (method, path, body, expected) in [
        ("POST", "teams", json!({"id": UNKNOWN, "role": "owner"}), vec!["/id", "/name", "/role"]),
        (
            "POST",
            "teams",
            json!({"name": "", "description": "x".repeat(10_001)}),
            vec!["/description", "/name"],
        ),
        ("PATCH", &team, json!({"team_id": UNKNOWN, "created_on": 1}), vec!["/created_on", "/team_id"]),
        ("PATCH", &member, json!({"team_id": UNKNOWN, "member_id": UNKNOWN}), vec!["/member_id", "/team_id"]),
        ("PATCH", &member, json!({"role": "king", "status": "x"}), vec!["/role", "/status"]),
        (
            "PATCH",
            &member,
            json!({"exceptions": {"fly": true, "team:delete": true, "members:invite": 1, "audit:view": true}}),
            vec!["/exceptions/fly", "/exceptions/members:invite", "/exceptions/team:delete"],
        ),
    ] {
        let answer = world.send(&owner, method, path, &body).await;
        let mut found = pointers(&answer);
        found.sort();
        assert_eq!(
            (answer.code(), found),
            (422, expected.into_iter().map(str::to_owned).collect()),
            "{body}"
        );
    }
    assert_eq!(world.role_of(&owner, &viewer).await, "viewer");
}

#[tokio::test]
async fn hostile_bodies_get_their_problem_and_change_nothing() {
    let world = World::new().await;
    let (owner, viewer) =
        (world.joined("owner", Role::Owner).await, world.joined("viewer", Role::Viewer).await);
    let routes = [
        ("POST", "teams".to_owned()),
        ("PATCH", world.path("")),
        ("PATCH", world.member_path(&viewer)),
        ("POST", world.path("/invite")),
    ];
    for (method, path) in &routes {
        for body in hostile_bodies() {
            let request = body.request(method, &format!("/api/v1/{path}"), "");
            let answer = call(&world.router, by_token(request, &owner.token)).await;
            let name = format!("{method} {path}: {}", body.name);
            assert_eq!((answer.code(), answer.problem_code().as_str()), (body.status, body.code), "{name}");
        }
    }
    assert_eq!(world.get(&owner, "teams").await.body["total"], 1);
    assert!(world.mailer.take().is_empty());
}

#[tokio::test]
async fn a_foreign_team_does_not_exist_in_any_way() {
    let world = World::new().await;
    let owner = world.joined("owner", Role::Owner).await;
    let eve = world.person("eve").await;
    world.send(&eve, "POST", "teams", &json!({"name": "Eve's"})).await;
    let routes = [
        ("GET", "", Value::Null),
        ("PATCH", "", json!({"name": "stolen"})),
        ("DELETE", "", Value::Null),
        ("GET", "/members", Value::Null),
        ("PATCH", &format!("/members/{}", owner.id), json!({"role": "viewer"})),
        ("DELETE", &format!("/members/{}", owner.id), Value::Null),
        ("POST", "/invite", json!({"email": "eve2@example.com", "role": "owner"})),
        ("GET", "/invitations", Value::Null),
        ("DELETE", &format!("/invitations/{UNKNOWN}"), Value::Null),
    ];
    for (method, below, body) in routes {
        let mut problems = Vec::new();
        for team in [world.team.to_string(), UNKNOWN.to_owned()] {
            let problem = world.send(&eve, method, &format!("teams/{team}{below}"), &body).await.problem();
            problems.push((problem.status, problem.kind, problem.title, problem.detail, problem.errors));
        }
        assert_eq!(problems[0].0, 404, "{method} {below}");
        assert_eq!(problems[0], problems[1], "{method} {below}");
    }
    assert_eq!(world.get(&owner, &world.path("")).await.body["name"], "Looms");
    assert_eq!(world.role_of(&owner, &owner).await, "owner");
}

#[tokio::test]
async fn ten_05_only_owners_delete_the_team_and_only_admins_change_it() {
    let world = World::new().await;
    let owner = world.joined("owner", Role::Owner).await;
    for (role, changes) in [(Role::Viewer, 403), (Role::Editor, 403), (Role::Admin, 200)] {
        let member = world.joined(&format!("{role:?}").to_lowercase(), role).await;
        assert_eq!(world.get(&member, &world.path("")).await.code(), 200);
        assert_eq!(
            world.send(&member, "PATCH", &world.path(""), &json!({"name": "x"})).await.code(),
            changes
        );
        assert_eq!(world.send(&member, "DELETE", &world.path(""), &Value::Null).await.code(), 403);
    }
    assert_eq!(world.send(&owner, "DELETE", &world.path(""), &Value::Null).await.code(), 204);
    assert_eq!(world.get(&owner, &world.path("")).await.code(), 404);
    assert_eq!(world.get(&owner, "teams").await.body["total"], 0);
}

#[tokio::test]
async fn who_was_deactivated_founds_nothing() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let patch = catalog::MemberPatch { is_active: Some(false), ..catalog::MemberPatch::default() };
    world.catalog.member_update(ada.id, &patch).await.unwrap();
    assert_eq!(world.send(&ada, "POST", "teams", &json!({"name": "x"})).await.code(), 401);
    assert_eq!(world.get(&ada, "invitations").await.code(), 401);
}
