use app::ports::{Act, Ids as _, WorkflowCatalog as _};
use catalog::NewWorkflow;
use domain::{Timestamp, VersionId, WorkflowId, WorkflowVersion};
use heddle_http::testing::{
    by_token, call, check_openapi, hostile_bodies, request, request_with, through_api_gateway,
};
use runtime::TimeOrderedIds;
use serde_json::{Value, json};

use crate::world::World;

const VALUE: &str = "sk-live-of-the-shop";

#[tokio::test]
async fn the_document_names_every_route_with_its_errors() {
    check_openapi(&World::new().await.router, "secrets").await;
}

#[tokio::test]
async fn a_value_goes_in_and_only_its_end_is_shown() {
    let world = World::new().await;
    let first = world.send("PUT", "secrets/SHOP", &json!({"value": VALUE})).await;
    assert_eq!((first.code(), first.header("location")), (201, "/api/v1/secrets/SHOP"), "{first:?}");
    assert_eq!((&first.body["version"], &first.body["last4"]), (&json!(1), &json!("shop")));
    assert_eq!(world.opened("SHOP").await.as_deref(), Some(VALUE));

    let second = world.send("PUT", "secrets/SHOP", &json!({"value": "short value"})).await;
    assert_eq!(
        (second.code(), &second.body["version"], &second.body["last4"]),
        (200, &json!(2), &Value::Null)
    );
    let third = world.send("POST", "secrets/SHOP/rotate", &json!({"value": "another value"})).await;
    assert_eq!((third.code(), &third.body["version"]), (200, &json!(3)));
    assert_eq!(world.opened("SHOP").await.as_deref(), Some("another value"));
    world.send("PUT", "secrets/a_B9", &json!({"value": "x"})).await;

    let list = world.get("secrets").await;
    assert_eq!((list.code(), &list.body["total"]), (200, &json!(2)));
    let shop = list.body["items"].as_array().unwrap().iter().find(|item| item["name"] == "SHOP").unwrap();
    assert_eq!((&shop["version"], &shop["last4"]), (&json!(3), &json!("alue")));
    let versions: Vec<_> = shop["versions"].as_array().unwrap().iter().map(|v| v["last4"].clone()).collect();
    assert_eq!(versions, [json!("alue"), Value::Null, json!("shop")]);
    assert!(shop["updated_on"].as_str().unwrap() > shop["created_on"].as_str().unwrap(), "{shop}");
    let page = world.get("secrets?limit=1&offset=1").await.body;
    assert_eq!((page["items"].as_array().unwrap().len(), &page["total"]), (1, &json!(2)));
    for answer in [first.body, second.body, third.body, list.body] {
        let text = answer.to_string();
        assert!(
            !text.contains(VALUE) && !text.contains("value\": \"") && !text.contains("short value"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_secret_goes_with_all_its_versions() {
    let world = World::new().await;
    for value in ["one", "two"] {
        world.send("PUT", "secrets/SHOP", &json!({ "value": value })).await;
    }
    assert_eq!(world.delete("secrets/SHOP").await.code(), 204);
    assert_eq!(world.delete("secrets/SHOP").await.problem_code(), "not_found");
    assert_eq!(world.opened("SHOP").await, None);
    assert_eq!(world.get("secrets").await.body["total"], 0);
    assert_eq!(world.send("PUT", "secrets/SHOP", &json!({"value": "three"})).await.code(), 201);
    assert_eq!(world.opened("SHOP").await.as_deref(), Some("three"));
}

/// Publishes a workflow with one node.
async fn publish(world: &World, name: &str, node: Value) {
    let new = NewWorkflow::named(WorkflowId::new(TimeOrderedIds.next()), name);
    let act = Act::of_system(TimeOrderedIds.next(), Timestamp::UNIX_EPOCH);
    let made = world.catalog.workflow_insert(world.team, &new, &act).await.unwrap();
    let version = WorkflowVersion {
        id: VersionId::new(TimeOrderedIds.next()),
        graph: serde_json::from_value(json!({"nodes": [node], "edges": []})).unwrap(),
        ..app::fakes::a_version(world.team, app::fakes::graph(json!({"nodes": [], "edges": []})))
    };
    let version = WorkflowVersion { workflow_id: made.id, ..version };
    let act = Act::of_system(TimeOrderedIds.next(), version.created_on);
    world.catalog.insert_version(version, made.revision, None, &act).await.unwrap();
}

#[tokio::test]
async fn a_secret_that_published_workflows_name_stays() {
    let world = World::new().await;
    world.send("PUT", "secrets/SHOP", &json!({"value": "x"})).await;
    world.send("PUT", "secrets/SHO", &json!({"value": "x"})).await;
    let call = |headers: Value| json!({"key": "a", "node_type": "get_api", "metadata": {"url": "https://a.example", "headers": headers}});
    let uses = call(json!({"x": "Key {{ secret.SHOP }}"}));
    publish(&world, "direct", uses.clone()).await;
    let in_loop =
        json!({"key": "each", "node_type": "for_each", "metadata": {"items": "{{ [1] }}", "body": [uses]}});
    publish(&world, "in a loop", in_loop).await;
    publish(&world, "only a word of it", call(json!({"x": "secret.SHO"}))).await;

    let refused = world.delete("secrets/SHOP").await;
    assert_eq!((refused.code(), refused.problem_code()), (409, "in_use".to_owned()));
    let details: Vec<_> = refused.problem().errors.into_iter().map(|error| error.detail).collect();
    assert_eq!(details.len(), 2, "{details:?}");
    assert!(
        details[0].contains("workflow direct (") && details[1].contains("workflow in a loop ("),
        "{details:?}"
    );
    assert_eq!(world.opened("SHOP").await.as_deref(), Some("x"));
    assert_eq!(world.delete("secrets/SHO").await.code(), 204);
}

#[tokio::test]
async fn all_mistakes_are_named_at_once_and_no_value_is_repeated() {
    let world = World::new().await;
    let long = "x".repeat(65_537);
    for (path, body, expected) in [
        ("secrets/1A", json!({"value": ""}), vec!["/path/name invalid_name", "/value length"]),
        ("secrets/A-B", json!({"value": "fine"}), vec!["/path/name invalid_name"]),
        ("secrets/A", json!({"value": long}), vec!["/value length"]),
        (
            "secrets/A",
            json!({"value": 7_654_321, "more": 1}),
            vec!["/value invalid_type", "/more unknown_field"],
        ),
        ("secrets/A.b", json!({}), vec!["/path/name invalid_name", "/value missing_field"]),
        ("secrets/A", json!({"value": ["7654321"]}), vec!["/value invalid_type"]),
        ("secrets/A", json!({"value": {"7654321": 1}}), vec!["/value invalid_type"]),
        ("secrets/A", json!({"value": null}), vec!["/value invalid_type"]),
        ("secrets/A", json!({"value": true}), vec!["/value invalid_type"]),
        ("secrets/A", json!({"value": -7_654_321.5}), vec!["/value invalid_type"]),
        ("secrets/A", json!("7654321"), vec![" invalid_type"]),
    ] {
        let refused = world.send("PUT", path, &body).await;
        assert_eq!(refused.code(), 422, "{body}: {refused:?}");
        let mut found: Vec<_> = refused
            .problem()
            .errors
            .into_iter()
            .map(|error| format!("{} {}", error.pointer, error.code))
            .collect();
        let mut expected: Vec<_> = expected.into_iter().map(str::to_owned).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{path} {body}");
        let text = refused.body.to_string();
        assert!(!text.contains("7654321") && !text.contains("xxxx"), "{text}");
    }
    for body in [
        r#"{"value": "7654321"#,
        r#"{"value": 7654321x}"#,
        "7654321",
        r#"{"value": "7654321", "value": "7654321"}"#,
    ] {
        for (method, path) in [("PUT", "secrets/A"), ("POST", "secrets/A/rotate")] {
            let refused = world.send_bytes(method, path, body).await;
            assert!([400, 422].contains(&refused.code()), "{refused:?}");
            assert!(!refused.body.to_string().contains("7654321"), "{refused:?}");
        }
    }
    assert_eq!(world.get("secrets").await.body["total"], 0);
    let largest = "ü".repeat(32_768);
    assert_eq!(world.send("PUT", "secrets/A", &json!({"value": largest})).await.code(), 201);
    assert_eq!(world.opened("A").await, Some(largest));
}

#[tokio::test]
async fn no_body_is_too_hostile() {
    let world = World::new().await;
    for (method, path) in [("PUT", "/api/v1/secrets/A"), ("POST", "/api/v1/secrets/A/rotate")] {
        for body in hostile_bodies() {
            let answer = world.call(body.request(method, path, "")).await;
            let expected = (body.status, body.code);
            assert_eq!((answer.code(), answer.problem_code().as_str()), expected, "{path} {}", body.name);
        }
    }
}

#[tokio::test]
async fn another_teams_secret_is_not_there() {
    let world = World::new().await;
    world.send("PUT", "secrets/SHOP", &json!({"value": VALUE})).await;
    let refused = |method: &'static str, path: &'static str| {
        let body = json!({"value": "theirs"});
        let request = if method == "DELETE" {
            request(method, path, "")
        } else {
            request_with(method, path, "", &body)
        };
        call(&world.router, by_token(request, &world.foreign_token))
    };
    for (method, foreign, unknown) in [
        ("DELETE", "/api/v1/secrets/SHOP", "/api/v1/secrets/NONE"),
        ("POST", "/api/v1/secrets/SHOP/rotate", "/api/v1/secrets/NONE/rotate"),
        ("POST", "/api/v1/secrets/SHOP/rotate", "/api/v1/secrets/no%20name/rotate"),
    ] {
        let problems = [refused(method, foreign).await, refused(method, unknown).await].map(|answer| {
            let mut problem = answer.problem();
            problem.instance = None;
            problem
        });
        assert_eq!(problems[0].status, 404);
        assert_eq!(problems[0], problems[1], "{method} {foreign}");
    }
    let list =
        call(&world.router, by_token(request("GET", "/api/v1/secrets", ""), &world.foreign_token)).await;
    assert_eq!(list.body["total"], 0);
    assert_eq!(world.opened("SHOP").await.as_deref(), Some(VALUE));
    assert_eq!(
        call(&world.router, request("GET", "/api/v1/secrets", "")).await.problem_code(),
        "unauthorized"
    );
}

#[tokio::test]
async fn a_sample_event_puts_a_secret_through_api_gateway() {
    let world = World::new().await;
    let event = include_str!("../../../../events/http-secrets-put.json");
    let event = event.replace("replace-this-by-an-access-token", &world.token);
    let answer = through_api_gateway(world.router.clone(), &event).await;
    assert_eq!(answer["statusCode"], 201, "{answer}");
    assert_eq!(world.opened("SHOP").await.as_deref(), Some("replace-this-by-a-credential"));
}
