//! Experts over HTTP: create, list, read (EXP-01 … EXP-03, EXP-05 … EXP-07).

use heddle_http::testing::{
    by_token, call, check_openapi, hostile_bodies, request, request_with, through_api_gateway,
};
use serde_json::{Value, json};

use crate::world::{World, id_of};

/// Pointer and code of every mistake, in the order of their pointers.
pub(crate) fn mistakes(answer: &heddle_http::testing::Answer) -> Vec<(String, String)> {
    let mut found: Vec<_> =
        answer.problem().errors.into_iter().map(|error| (error.pointer, error.code)).collect();
    found.sort();
    found
}

#[tokio::test]
async fn the_document_and_the_routes_agree() {
    check_openapi(&World::new().await.router, "experts").await;
}

#[tokio::test]
async fn exp_01_an_expert_is_created_as_a_draft_and_read_back() {
    let world = World::new().await;
    let other = world.create(json!({})).await;
    let body = json!({
        "name": "Order clerk", "prompt": "Answer in {{ input.language }}.", "model_name": "gpt-4o-mini",
        "input_params": {"type": "object", "properties": {"language": {"type": "string"}}},
        "settings": {
            "temperature": 0.25, "max_tokens": 500, "tools": ["web_search"],
            "memory": {"scope": "session", "max_messages": 20}, "sub_experts": [id_of(&other)],
        },
    });
    let created = world.send("POST", "experts", &body).await;
    assert_eq!((created.code(), &created.body["status"]), (201, &json!("draft")), "{created:?}");
    let read = world.get(created.header("location").strip_prefix("/api/v1/").unwrap()).await;
    assert_eq!((read.code(), read.header("etag")), (200, "\"1\""));
    assert_eq!((created.header("etag"), &created.body), ("\"1\"", &read.body));
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&read.body[field], value, "{field}");
    }
    let active =
        world.send("POST", "experts", &json!({"name": "a", "model_name": "m", "status": "active"})).await;
    assert_eq!(active.body["status"], "active");
}

#[tokio::test]
async fn exp_03_every_mistake_of_an_expert_is_told_at_once() {
    let world = World::new().await;
    let path = world.create(json!({})).await;
    let nobody = "01961234-5678-7abc-8def-0123456789ab";
    let wrong = json!({
        "name": " ", "prompt": "Be {{ input.mood", "model_name": "x".repeat(201), "status": "historical",
        "input_params": {"type": 7},
        "settings": {
            "temperature": 2.01, "max_tokens": 0, "tools": ["a", "", "a"],
            "memory": {"scope": "user", "max_messages": 1001}, "sub_experts": [nobody, id_of(&path), id_of(&path)],
        },
    });
    for (method, path) in [("POST", "experts"), ("PATCH", path.as_str())] {
        let refused = world.send(method, path, &wrong).await;
        assert_eq!(refused.code(), 422, "{refused:?}");
        let found = mistakes(&refused);
        let found: Vec<_> = found.iter().map(|(place, code)| (place.as_str(), code.as_str())).collect();
        let mut expected = vec![
            ("/input_params/type", "wrong_schema"),
            ("/model_name", "length"),
            ("/name", "length"),
            ("/prompt", "template"),
            ("/settings/max_tokens", "out_of_range"),
            ("/settings/memory/max_messages", "out_of_range"),
            ("/settings/sub_experts/0", "unknown_expert"),
            ("/settings/sub_experts/2", "duplicate"),
            ("/settings/temperature", "out_of_range"),
            ("/settings/tools/1", "length"),
            ("/settings/tools/2", "duplicate"),
            ("/status", "wrong_status"),
        ];
        if method == "PATCH" {
            expected
                .extend([("/settings/sub_experts/1", "circular"), ("/settings/sub_experts/2", "circular")]);
        }
        expected.sort_unstable();
        assert_eq!(found, expected, "{method}");
    }
    assert_eq!(world.get("experts").await.body["total"], 1);
    assert_eq!(world.get(&path).await.body["revision"], 1);
}

#[tokio::test]
async fn what_an_expert_does_not_have_is_refused() {
    let world = World::new().await;
    let subs: Vec<_> = (0..21).map(|i| format!("01961234-5678-7abc-8def-0123456789{i:02}")).collect();
    for (field, value, expected) in [
        ("settings", json!({"top_p": 1}), ("/settings/top_p", "unknown_field")),
        (
            "settings",
            json!({"memory": {"scope": "session", "days": 1}}),
            ("/settings/memory/days", "unknown_field"),
        ),
        ("settings", json!({"temperature": "warm"}), ("/settings/temperature", "invalid_type")),
        ("settings", json!({"temperature": -0.01}), ("/settings/temperature", "out_of_range")),
        ("settings", json!({"sub_experts": subs}), ("/settings/sub_experts", "too_many")),
        ("settings", json!({"tools": vec!["t"; 65]}), ("/settings/tools", "too_many")),
        ("history_of", json!(null), ("/history_of", "unknown_field")),
        ("prompt", json!("{{ secret.KEY }}"), ("/prompt", "secret_not_allowed")),
        ("prompt", json!("{{ 1 }}".repeat(101)), ("/prompt", "too_many")),
        ("prompt", json!("x".repeat(100_001)), ("/prompt", "length")),
        ("status", json!("archive"), ("/status", "wrong_status")),
    ] {
        let mut body = json!({"name": "a", "model_name": "m"});
        body[field] = value;
        let found = mistakes(&world.send("POST", "experts", &body).await);
        let (pointer, code) = (expected.0.to_owned(), expected.1.to_owned());
        assert!(found.contains(&(pointer, code)), "{expected:?} is not in {found:?}");
    }
    let most =
        json!({"prompt": "{{ 1 }}".repeat(100), "settings": {"temperature": 2, "tools": ["ü".repeat(100)]}});
    world.create(most).await;
    assert_eq!(world.get("experts").await.body["total"], 1);
}

#[tokio::test]
async fn hostile_bodies_get_their_problem_and_store_nothing() {
    let world = World::new().await;
    let path = world.create(json!({})).await;
    let before = world.get(&path).await.body;
    let render = format!("{path}/render");
    for (method, path) in [("POST", "experts"), ("PATCH", path.as_str()), ("POST", render.as_str())] {
        for body in hostile_bodies() {
            let answer = world.call(body.request(method, &format!("/api/v1/{path}"), "")).await;
            let name = format!("{method} {path}: {}", body.name);
            assert_eq!((answer.code(), answer.problem_code().as_str()), (body.status, body.code), "{name}");
        }
    }
    assert_eq!(world.get(&path).await.body, before);
    assert_eq!(world.get("experts").await.body["total"], 1);
}

#[tokio::test]
async fn exp_03_experts_are_listed_by_status_and_name() {
    let world = World::new().await;
    for (name, status) in [("Order clerk", "active"), ("100% clerk", "draft"), ("Poet", "active")] {
        world.create(json!({"name": name, "status": status})).await;
    }
    let names = async |query: &str| -> Vec<String> {
        let page = world.get(&format!("experts{query}")).await;
        assert_eq!(page.code(), 200, "{page:?}");
        let items = page.body["items"].as_array().unwrap();
        items.iter().map(|expert| expert["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("").await, ["Poet", "100% clerk", "Order clerk"]);
    assert_eq!(names("?search=CLERK").await, ["100% clerk", "Order clerk"]);
    assert_eq!(names("?search=%25").await, ["100% clerk"]);
    assert_eq!(names("?status=active&limit=1&offset=1").await, ["Order clerk"]);
    assert_eq!(names("?status=archive").await, Vec::<String>::new());
    let page = world.get("experts?limit=1").await.body;
    assert_eq!((&page["total"], &page["limit"], &page["offset"]), (&json!(3), &json!(1), &json!(0)));
    for bad in ["limit=0", "limit=101", "offset=-1", "status=gone", "page=2", "search=%00"] {
        assert_eq!(world.get(&format!("experts?{bad}")).await.problem_code(), "validation", "{bad}");
    }
}

#[tokio::test]
async fn another_teams_expert_is_not_there_in_any_way() {
    let world = World::new().await;
    let path = world.create(json!({"status": "active"})).await;
    let workflow = world.workflow(world.foreign_team, "theirs").await;
    let before = world.get(&path).await.body;
    let unknown = "experts/01961234-5678-7abc-8def-0123456789ab";
    let to_workflow = format!("/workflows/{workflow}");
    let to_service = format!("/services/{}", world.service);
    let routes: [(&str, &str, Value); 9] = [
        ("GET", "", Value::Null),
        ("PATCH", "", json!({"name": "stolen"})),
        ("DELETE", "", Value::Null),
        ("GET", "/history", Value::Null),
        ("POST", "/render", json!({})),
        ("PUT", &to_workflow, Value::Null),
        ("DELETE", &to_workflow, Value::Null),
        ("PUT", &to_service, Value::Null),
        ("DELETE", &to_service, Value::Null),
    ];
    for (method, below, body) in routes {
        let mut problems = Vec::new();
        for path in [path.as_str(), unknown] {
            let foreign = request_with(method, &format!("/api/v1/{path}{below}"), "", &body);
            let problem = call(&world.router, by_token(foreign, &world.foreign_token)).await.problem();
            problems.push((problem.status, problem.kind, problem.title, problem.detail, problem.errors));
        }
        assert_eq!(problems[0].0, 404, "{method} {below}");
        assert_eq!(problems[0], problems[1], "{method} {below}");
    }
    let list =
        call(&world.router, by_token(request("GET", "/api/v1/experts", ""), &world.foreign_token)).await;
    assert_eq!(list.body["total"], 0);
    let sub = json!({"name": "a", "model_name": "m", "settings": {"sub_experts": [id_of(&path)]}});
    let named = by_token(request_with("POST", "/api/v1/experts", "", &sub), &world.foreign_token);
    let unknown_expert = ("/settings/sub_experts/0".to_owned(), "unknown_expert".to_owned());
    assert_eq!(mistakes(&call(&world.router, named).await), [unknown_expert]);
    assert_eq!(world.get(&path).await.body, before);
}

#[tokio::test]
async fn the_same_request_with_its_key_creates_one_expert() {
    let world = World::new().await;
    let send = async || {
        let body = json!({"name": "a", "model_name": "m"});
        let mut request = request_with("POST", "/api/v1/experts", "", &body);
        request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
        world.call(request).await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((first.code(), second.code(), &first.body["id"]), (201, 201, &second.body["id"]));
    assert_eq!(world.get("experts").await.body["total"], 1);
}

#[tokio::test]
async fn a_sample_event_creates_an_expert_through_api_gateway() {
    let world = World::new().await;
    let event = include_str!("../../../../events/http-experts-create.json");
    let answer = through_api_gateway(world.router.clone(), event).await;
    assert_eq!(answer["statusCode"], 201, "{answer}");
    assert!(answer["headers"]["location"].as_str().unwrap().starts_with("/api/v1/experts/"));
    assert_eq!(world.get("experts/health/ready").await.code(), 200);
}
