//! Who the caller is.

use app::ports::Seat;
use domain::{Role, TeamId};
use heddle_http::testing::{call, hostile_bodies, request};
use http::{HeaderValue, header};
use serde_json::json;
use uuid::Uuid;

use crate::world::{ADA, World, pointers, with_token};

#[tokio::test]
async fn one_reads_and_changes_what_one_says_of_oneself() {
    let world = World::new();
    let signed_up = world.signed_up(ADA).await;
    let token = signed_up["access_token"].as_str().unwrap();
    let me = world.send("GET", "me", token, None).await;
    let mut shown = me.body.clone();
    assert_eq!((me.code(), shown.as_object_mut().unwrap().remove("teams")), (200, Some(json!([]))));
    assert_eq!(shown, signed_up["user"]);
    let change = json!({"last_name": "King", "avatar_url": "https://example.com/ada.png", "bio": "Counts."});
    let changed = world.send("PATCH", "me", token, Some(&change)).await;
    assert_eq!((changed.code(), &changed.body["first_name"]), (200, &json!("Ada")));
    for (name, value) in change.as_object().unwrap() {
        assert_eq!(changed.body[name], *value);
    }
    let bare = world.send("PATCH", "me", token, Some(&json!({"avatar_url": ""}))).await;
    assert_eq!((&bare.body["avatar_url"], &bare.body["bio"]), (&json!(null), &json!("Counts.")));
}

#[tokio::test]
async fn ones_teams_are_told_with_what_one_may_do_there() {
    let world = World::new();
    let signed_up = world.signed_up(ADA).await;
    let team_id = TeamId::new(Uuid::from_u128(7));
    let seat = Seat {
        team_id,
        team_name: "Looms".to_owned(),
        role: Role::Viewer,
        permissions: json!({"workflows:execute": true}).as_object().unwrap().clone(),
    };
    world.seats.put(signed_up["user"]["id"].as_str().unwrap().parse().unwrap(), seat);
    let me = world.send("GET", "me", signed_up["access_token"].as_str().unwrap(), None).await;
    let team = &me.body["teams"][0];
    assert_eq!(
        (&team["id"], &team["name"], &team["role"]),
        (&json!(team_id), &json!("Looms"), &json!("viewer"))
    );
    let permissions = team["permissions"].as_array().unwrap();
    for (word, is_theirs) in
        [("workflows:view", true), ("workflows:execute", true), ("workflows:edit", false)]
    {
        assert_eq!(permissions.contains(&json!(word)), is_theirs, "{word}");
    }
}

#[tokio::test]
async fn what_is_not_ones_to_change_is_refused() {
    let world = World::new();
    let signed_up = world.signed_up(ADA).await;
    let token = signed_up["access_token"].as_str().unwrap();
    for (body, expected) in [
        (json!({"email": "eve@example.com"}), vec!["/email"]),
        (json!({"role": "owner"}), vec!["/role"]),
        (json!({"team_id": "x"}), vec!["/team_id"]),
        (json!({"is_active": true}), vec!["/is_active"]),
        (json!({"password": "another password"}), vec!["/password"]),
        (
            json!({"first_name": "x".repeat(101), "last_name": "a\tb", "avatar_url": "javascript:alert(1)", "bio": "x".repeat(2001)}),
            vec!["/first_name", "/last_name", "/avatar_url", "/bio"],
        ),
        (json!({"avatar_url": "http://example.com/a.png"}), vec!["/avatar_url"]),
        (json!({"avatar_url": "https://ada:secret@example.com/a.png"}), vec!["/avatar_url"]),
    ] {
        let answer = world.send("PATCH", "me", token, Some(&body)).await;
        assert_eq!(
            (answer.code(), pointers(&answer)),
            (422, expected.into_iter().map(str::to_owned).collect()),
            "{body}"
        );
    }
    for body in hostile_bodies() {
        let mut request = body.request("PATCH", "/api/v1/auth/me", "");
        let field = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, field);
        let answer = call(&world.router, request).await;
        assert_eq!(
            (answer.code(), answer.problem_code().as_str()),
            (body.status, body.code),
            "{}",
            body.name
        );
    }
    let me = world.send("GET", "me", token, None).await.body;
    assert!(signed_up["user"].as_object().unwrap().iter().all(|(name, value)| me[name] == *value), "{me}");
}

#[tokio::test]
async fn without_a_valid_token_nobody_is_anybody() {
    let world = World::new();
    let signed_up = world.signed_up(ADA).await;
    let token = signed_up["access_token"].as_str().unwrap();
    let refresh = signed_up["refresh_token"].as_str().unwrap();
    let tampered = format!("{}A", &token[..token.len() - 1]);
    let tampered = if tampered == token { format!("{}Q", &token[..token.len() - 1]) } else { tampered };
    let mut details = Vec::new();
    for field in [
        "",
        "Bearer",
        "Bearer ",
        &format!("Basic {token}"),
        token,
        &format!("Bearer {tampered}"),
        &format!("Bearer {refresh}"),
    ] {
        let mut request = request("GET", "/api/v1/auth/me", "");
        request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::try_from(field).unwrap());
        let answer = call(&world.router, request).await;
        assert_eq!(
            (answer.code(), answer.header("www-authenticate")),
            (401, r#"Bearer, ApiKey header="X-API-Key""#),
            "{field}"
        );
        details.push(answer.problem().detail);
    }
    let none = call(&world.router, request("GET", "/api/v1/auth/me", "")).await;
    details.push(none.problem().detail);
    let mut twice = with_token("GET", "me", token, None);
    twice.headers_mut().append(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    details.push(call(&world.router, twice).await.problem().detail);
    world.clock.advance(identity::ACCESS_LIFE);
    details.push(world.send("GET", "me", token, None).await.problem().detail);
    assert!(details.iter().all(|detail| *detail == details[0]), "{details:?}");
}

#[tokio::test]
async fn who_was_deactivated_is_nobody_at_once() {
    let world = World::new();
    let signed_up = world.signed_up(ADA).await;
    let token = signed_up["access_token"].as_str().unwrap();
    world.deactivate(&signed_up["user"]);
    for (method, path, body) in [
        ("GET", "me", None),
        ("PATCH", "me", Some(json!({}))),
        ("GET", "sessions", None),
        ("POST", "logout", None),
    ] {
        assert_eq!(world.send(method, path, token, body.as_ref()).await.code(), 401, "{method} {path}");
    }
}
