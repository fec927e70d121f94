//! Codes and passwords over HTTP.

use heddle_http::testing::{call, check_openapi, hostile_bodies, request, request_with, through_api_gateway};
use serde_json::{Value, json};

use crate::world::{ADA, PASSWORD, World, pointers};

#[tokio::test]
async fn the_document_names_every_route_with_its_errors() {
    check_openapi(&World::new().router, "auth").await;
}

#[tokio::test]
async fn a_code_signs_up_and_a_password_signs_in() {
    let world = World::new();
    let code = world.code(ADA, "signup").await;
    let body =
        json!({"email": ADA, "code": code, "password": PASSWORD, "first_name": "Ada", "last_name": "King"});
    let answer = world.post("verify-otp", &body).await;
    assert_eq!(answer.code(), 200, "{answer:?}");
    assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("bearer"), &json!(900)));
    assert!(answer.body["access_token"].is_string() && answer.body["refresh_token"].is_string());
    assert!(answer.headers.get("set-cookie").is_none() && answer.body.get("csrf_token").is_none());
    assert_eq!(answer.header("cache-control"), "no-store");
    let user = &answer.body["user"];
    assert_eq!(
        (&user["email"], &user["first_name"], &user["last_name"]),
        (&json!(ADA), &json!("Ada"), &json!("King"))
    );
    assert_eq!((&user["is_email_verified"], &user["has_password"]), (&json!(true), &json!(true)));

    let login = world.post("login", &json!({"email": "ADA@example.com", "password": PASSWORD})).await;
    assert_eq!((login.code(), &login.body["user"]["id"]), (200, &user["id"]));
    let wrong = world.post("login", &json!({"email": ADA, "password": "x"})).await;
    assert_eq!(wrong.problem_code(), "unauthorized");
}

#[tokio::test]
async fn nothing_but_the_mail_tells_whether_an_address_is_known() {
    let world = World::new();
    world.signed_up(ADA).await;
    let mut answers = Vec::new();
    for email in [ADA, "nobody@example.com"] {
        for purpose in ["login", "reset"] {
            let asked = world.post("request-otp", &json!({"email": email, "purpose": purpose})).await;
            assert_eq!(world.mails().len(), 1, "{email} {purpose}");
            answers.push((asked.code(), asked.body.clone(), asked.headers.len()));
        }
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!((answers[0].0, &answers[0].1["expires_in"]), (200, &json!(300)));

    let refusal = async |path: &str, body: Value| {
        let answer = world.post(path, &body).await;
        let problem = answer.problem();
        (problem.status, problem.kind, problem.title, problem.detail, answer.headers.len())
    };
    let wrong_code = refusal("verify-otp", json!({"email": ADA, "code": "000000"})).await;
    let unknown = refusal("verify-otp", json!({"email": "nobody@example.com", "code": "000000"})).await;
    let wrong_password = refusal("login", json!({"email": ADA, "password": "x"})).await;
    let nobody = refusal("login", json!({"email": "nobody@example.com", "password": "x"})).await;
    assert_eq!(wrong_code.0, 401);
    assert!([unknown, wrong_password, nobody].iter().all(|other| *other == wrong_code));
}

#[tokio::test]
async fn every_mistake_is_named() {
    let world = World::new();
    for (path, body, expected) in [
        ("request-otp", json!({"email": "ada", "purpose": "spam"}), vec!["/email", "/purpose"]),
        ("request-otp", json!({}), vec!["/email", "/purpose"]),
        (
            "verify-otp",
            json!({"email": "ada", "code": "12345", "password": "short", "first_name": "a\nb", "last_name": "x".repeat(101)}),
            vec!["/email", "/code", "/password", "/first_name", "/last_name"],
        ),
        ("verify-otp", json!({"email": ADA, "code": "12345６"}), vec!["/code"]),
        (
            "verify-otp",
            json!({"email": ADA, "code": "123456", "password": "x".repeat(257)}),
            vec!["/password"],
        ),
        ("login", json!({"email": "x", "password": "x".repeat(257)}), vec!["/email", "/password"]),
        ("login", json!({"email": ADA, "password": 7}), vec!["/password"]),
        ("login", json!({}), vec!["/email", "/password"]),
        ("verify-otp", json!({}), vec!["/email", "/code"]),
        ("refresh", json!({}), vec!["/refresh_token"]),
    ] {
        let answer = world.post(path, &body).await;
        assert_eq!(
            (answer.code(), pointers(&answer)),
            (422, expected.into_iter().map(str::to_owned).collect()),
            "{body}"
        );
    }
    assert!(world.mails().is_empty());
}

#[tokio::test]
async fn nobody_signs_up_as_more_than_they_are() {
    let world = World::new();
    let code = world.code(ADA, "signup").await;
    for extra in ["role", "team_id", "is_active", "id", "email_verified_at", "status"] {
        let mut body = json!({"email": ADA, "code": code});
        body[extra] = json!("owner");
        let answer = world.post("verify-otp", &body).await;
        assert_eq!((answer.code(), pointers(&answer)), (422, vec![format!("/{extra}")]));
    }
    assert_eq!(world.post("verify-otp", &json!({"email": ADA, "code": code})).await.code(), 200);
}

#[tokio::test]
async fn a_password_needs_a_code_that_was_asked_for_to_set_one() {
    let world = World::new();
    world.signed_up(ADA).await;
    let code = world.code(ADA, "login").await;
    let body = json!({"email": ADA, "code": code, "password": "another password"});
    let answer = world.post("verify-otp", &body).await;
    assert_eq!((answer.code(), pointers(&answer)), (422, vec!["/password".to_owned()]));
    assert_eq!(world.post("verify-otp", &json!({"email": ADA, "code": code})).await.code(), 200);
}

#[tokio::test]
async fn too_many_tries_are_told_when_to_come_back() {
    let world = World::new();
    let ask = async || world.post("request-otp", &json!({"email": ADA, "purpose": "signup"})).await;
    for _ in 0..5 {
        assert_eq!(ask().await.code(), 200);
    }
    let refused = ask().await;
    assert_eq!((refused.code(), refused.problem_code().as_str()), (429, "rate_limited"));
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    world.clock.advance(chrono::TimeDelta::seconds(wait));
    assert_eq!(ask().await.code(), 200);
}

#[tokio::test]
async fn no_body_is_too_hostile() {
    let world = World::new();
    for path in ["request-otp", "verify-otp", "login", "refresh"] {
        for body in hostile_bodies() {
            let answer = call(&world.router, body.request("POST", &format!("/api/v1/auth/{path}"), "")).await;
            let expected = (body.status, body.code);
            assert_eq!((answer.code(), answer.problem_code().as_str()), expected, "{path} {}", body.name);
        }
    }
}

#[tokio::test]
async fn tokens_are_verified_by_keys_that_anybody_may_read() {
    let world = World::new();
    let answer = call(&world.router, request("GET", "/.well-known/jwks.json", "")).await;
    assert_eq!((answer.code(), answer.header("cache-control")), (200, "public, max-age=300"));
    let keys = answer.body["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2, "the present one and the next");
    for key in keys {
        assert_eq!(
            (&key["kty"], &key["crv"], &key["use"]),
            (&json!("OKP"), &json!("Ed25519"), &json!("sig"))
        );
        assert!(key.get("d").is_none());
    }
}

#[tokio::test]
async fn each_place_behind_the_gateway_has_tries_of_its_own() {
    let world = World::new();
    let ask = async |ip: &str, email: &str| {
        let mut event: Value =
            serde_json::from_str(include_str!("../../../../events/http-auth-request-otp.json")).unwrap();
        event["requestContext"]["http"]["sourceIp"] = json!(ip);
        event["body"] = json!(json!({"email": email, "purpose": "signup"}).to_string());
        through_api_gateway(world.router.clone(), &event.to_string()).await["statusCode"].clone()
    };
    for n in 0..5 {
        assert_eq!(ask("192.0.2.1", &format!("user{n}@example.com")).await, 200);
    }
    assert_eq!(ask("192.0.2.1", "user6@example.com").await, 429);
    assert_eq!(ask("192.0.2.2", "user6@example.com").await, 200);
}

#[tokio::test]
async fn what_is_no_route_is_not_found() {
    let world = World::new();
    for (method, path, code) in [
        ("POST", "/api/v1/auth", 404),
        ("GET", "/api/v1/auth/login", 405),
        ("GET", "/.well-known/openid-configuration", 404),
    ] {
        let answer = call(&world.router, request_with(method, path, "", &json!({}))).await;
        assert_eq!(answer.code(), code, "{path}");
    }
}
