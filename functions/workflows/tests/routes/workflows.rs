//! Workflows over HTTP, on Postgres: create, list, read, change.

use crate::world::{FOREIGN_KEY, KEY, World, graph};
use heddle_http::testing::{call, check_openapi, hostile_bodies, request, request_with, through_api_gateway};
use serde_json::{Value, json};

#[tokio::test]
async fn the_document_and_the_routes_agree() {
    check_openapi(&World::new().await.router, "workflows").await;
}

#[tokio::test]
async fn a_workflow_is_created_as_a_draft_and_read_back() {
    let world = World::new().await;
    let body = json!({
        "name": "Orders", "description": "Large ones", "is_api": true, "tags": ["a", "b"], "settings": {"color": "red"},
        "input_params": {"type": "object", "properties": {"n": {"type": "number"}}},
    });
    let created = world.send("POST", "workflows", &body).await;
    assert_eq!((created.code(), &created.body["status"]), (201, &json!("draft")));
    assert!(!created.header("etag").is_empty());
    let read = world.get(created.header("location").strip_prefix("/api/v1/").unwrap()).await;
    assert_eq!((read.code(), read.header("etag")), (200, created.header("etag")));
    assert_eq!(read.body["graph"], json!({"nodes": [], "edges": []}));
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&read.body[field], value, "{field}");
    }
}

#[tokio::test]
async fn every_mistake_of_a_new_workflow_is_told_at_once() {
    let world = World::new().await;
    let body = json!({"name": " ", "tags": ["ok", ""], "description": "x".repeat(10_001), "input_params": {"type": 7}});
    let problem = world.send("POST", "workflows", &body).await.problem();
    let mut pointers: Vec<&str> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
    pointers.dedup();
    assert_eq!(problem.status, 422);
    assert_eq!(pointers[..3], ["/name", "/description", "/tags/1"]);
    assert!(pointers[3].starts_with("/input_params"), "{pointers:?}");
    assert_eq!(world.get("workflows").await.body["total"], 0);
}

#[tokio::test]
async fn hostile_bodies_get_their_problem_and_store_nothing() {
    let world = World::new().await;
    let path = world.create("a").await;
    let before = world.get(&path).await.body;
    let below = |end: &str| format!("{path}{end}");
    let nowhere = "01961234-5678-7abc-8def-0123456789ab";
    let routes = [
        ("POST", "workflows".to_owned()),
        ("PATCH", below("")),
        ("PUT", below("/graph")),
        ("POST", "workflows/validate".to_owned()),
        ("POST", below("/validate")),
        ("POST", below("/publish")),
        ("PATCH", below("/status")),
        ("POST", below("/duplicate")),
        ("POST", below("/nodes")),
        ("PATCH", below(&format!("/nodes/{nowhere}"))),
        ("POST", below("/edges")),
        ("PATCH", below(&format!("/edges/{nowhere}"))),
        ("POST", "workflows/import".to_owned()),
    ];
    for (method, path) in &routes {
        for body in hostile_bodies() {
            let answer = call(&world.router, body.request(method, &format!("/api/v1/{path}"), KEY)).await;
            let name = format!("{method} {path}: {}", body.name);
            assert_eq!((answer.code(), answer.problem_code().as_str()), (body.status, body.code), "{name}");
        }
    }
    assert_eq!(world.get(&path).await.body, before);
    assert_eq!(world.get("workflows").await.body["total"], 1);
}

#[tokio::test]
async fn text_that_postgres_or_json_may_choke_on_is_kept_as_it_is() {
    let world = World::new().await;
    for name in ["'; drop table workflows; --", "%_\\", "\u{1}\u{7f}", "🧵 ünï", "\\u0000", "{{ input }}"]
    {
        let path = world.create(name).await;
        assert_eq!(world.get(&path).await.body["name"], name);
        let encoded: Vec<String> = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = world.get(&format!("workflows?search={}", encoded.concat())).await;
        assert_eq!(found.body["items"][0]["name"], name, "{found:?}");
    }
}

#[tokio::test]
async fn workflows_are_listed_by_status_tag_and_name() {
    let world = World::new().await;
    for (name, tag) in [("Orders", "x"), ("orders again", "y"), ("Invoices", "x")] {
        world.send("POST", "workflows", &json!({"name": name, "tags": [tag]})).await;
    }
    let names = async |query: &str| -> Vec<String> {
        let page = world.get(&format!("workflows{query}")).await;
        assert_eq!(page.code(), 200, "{page:?}");
        page.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| w["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("").await, ["Invoices", "orders again", "Orders"]);
    assert_eq!(names("?search=ORDERS").await, ["orders again", "Orders"]);
    assert_eq!(names("?tag=x&limit=1&offset=1").await, ["Orders"]);
    assert_eq!(names("?status=published").await, Vec::<String>::new());
    let page = world.get("workflows?limit=1").await.body;
    assert_eq!((&page["total"], &page["limit"], &page["offset"]), (&json!(3), &json!(1), &json!(0)));
    for bad in ["limit=0", "limit=101", "offset=-1", "status=gone", "page=2", "search=%00"] {
        assert_eq!(world.get(&format!("workflows?{bad}")).await.problem_code(), "validation", "{bad}");
    }
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name_and_needs_the_present_tag() {
    let world = World::new().await;
    let path = world.create("before").await;
    let tag = world.get(&path).await.header("etag").to_owned();
    let changed = world.send_if(&tag, "PATCH", &path, &json!({"name": "after"})).await;
    assert_eq!(
        (changed.code(), &changed.body["name"], &changed.body["is_api"]),
        (200, &json!("after"), &json!(true))
    );
    assert_ne!(changed.header("etag"), tag);
    let stale = world.send_if(&tag, "PATCH", &path, &json!({"name": "lost"})).await;
    assert_eq!((stale.code(), stale.problem_code().as_str()), (412, "stale"));
    assert_eq!(world.get(&path).await.body["name"], "after");
    let wrong = world.send("PATCH", &path, &json!({"name": "x", "status": "published"})).await;
    assert_eq!(wrong.problem().errors[0].pointer, "/status");
}

#[tokio::test]
async fn a_foreign_workflow_does_not_exist_in_any_way() {
    let world = World::new().await;
    let path = world.create("mine").await;
    let before = world.get(&path).await.body;
    let unknown = "workflows/01961234-5678-7abc-8def-0123456789ab";
    let routes = [
        ("GET", "", Value::Null),
        ("PATCH", "", json!({"name": "stolen"})),
        ("PUT", "/graph", graph()),
        ("PUT", "/graph", json!({"nodes": []})),
        ("POST", "/validate", json!({"graph": graph()})),
        ("POST", "/publish", json!({})),
        ("GET", "/versions", Value::Null),
        ("GET", "/versions/1", Value::Null),
        ("PATCH", "/status", json!({"status": "archived"})),
        ("POST", "/duplicate", json!({})),
        ("GET", "/nodes", Value::Null),
        ("POST", "/nodes", json!({"key": "a", "node_type": "return"})),
        ("GET", "/edges", Value::Null),
        ("POST", "/edges", json!({"from": "a", "to": "b"})),
        ("GET", "/drafts", Value::Null),
        ("GET", "/versions/draft/diff/draft", Value::Null),
        ("POST", "/versions/1/restore", Value::Null),
        ("GET", "/export", Value::Null),
    ];
    for (method, below, body) in routes {
        let mut problems = Vec::new();
        for path in [path.as_str(), unknown] {
            let foreign = request_with(method, &format!("/api/v1/{path}{below}"), FOREIGN_KEY, &body);
            let problem = call(&world.router, foreign).await.problem();
            problems.push((problem.status, problem.kind, problem.title, problem.detail, problem.errors));
        }
        assert_eq!(problems[0].0, 404, "{method} {below}");
        assert_eq!(problems[0], problems[1], "{method} {below}");
    }
    let list = call(&world.router, request("GET", "/api/v1/workflows", FOREIGN_KEY)).await;
    assert_eq!(list.body["total"], 0);
    assert_eq!(world.get(&path).await.body, before);
}

#[tokio::test]
async fn nothing_is_told_or_stored_without_a_key() {
    let world = World::new().await;
    for key in ["", "hdl_wrong"] {
        let create = request_with("POST", "/api/v1/workflows", key, &json!({"name": "x"}));
        assert_eq!(call(&world.router, create).await.problem_code(), "unauthorized");
        let list = request("GET", "/api/v1/workflows", key);
        assert_eq!(call(&world.router, list).await.problem_code(), "unauthorized");
    }
    assert_eq!(world.get("workflows").await.body["total"], 0);
}

#[tokio::test]
async fn a_sample_event_creates_a_workflow_through_api_gateway() {
    let world = World::new().await;
    let plain = include_str!("../../../../events/http-workflows-create.json");
    let staged =
        plain.replace("\"$default\"", "\"dev\"").replace("\"rawPath\": \"/api", "\"rawPath\": \"/dev/api");
    assert_ne!(staged, plain);
    for event in [plain, &staged] {
        let answer = through_api_gateway(world.router.clone(), event).await;
        assert_eq!(answer["statusCode"], 201, "{answer}");
        assert!(answer["headers"]["location"].as_str().unwrap().starts_with("/api/v1/workflows/"));
    }
    assert_eq!(world.get("workflows?tag=event").await.body["total"], 2);
}

#[tokio::test]
async fn it_is_ready_when_its_stores_answer() {
    let world = World::new().await;
    assert_eq!(world.get("workflows/health/ready").await.code(), 200);
}
