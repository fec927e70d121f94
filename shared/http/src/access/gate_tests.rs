//! Who is let through, seen from outside.

use std::sync::Arc;

use app::{
    fakes::ManualClock,
    ports::{Clock as _, KeptAnswers as _},
};
use axum::{Router, response::IntoResponse};
use chrono::TimeDelta;
use domain::{MemberId, Permission, Role, TeamId};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Caller, Member, Needs, Rate, Route};
use crate::{
    Api, ApiError, ApiResult, Json, docs,
    testing::{Answer, Passes, by_token, call, for_team, hostile_bodies, request, request_with},
};

const OURS: TeamId = TeamId::new(Uuid::from_u128(1));
const THEIRS: TeamId = TeamId::new(Uuid::from_u128(2));
const ADA: MemberId = MemberId::new(Uuid::from_u128(11));
const KEY: &str = "hdl_0123456789";
const ALLOWED: &str = "access-control-allow-origin";

const ROUTES: &[Route] = &[
    Route::new("GET", "/looms", Needs::Team(Permission::WorkflowsView)),
    Route {
        is_done_once: true,
        ..Route::new("POST", "/looms", Needs::Team(Permission::WorkflowsExecute)).at(Rate::Starts)
    },
    Route::new("DELETE", "/looms", Needs::Team(Permission::TeamDelete)),
    Route::new("GET", "/looms/{team_id}", Needs::Team(Permission::WorkflowsView)),
    Route::new("GET", "/looms/mine", Needs::Oneself),
];

#[derive(Deserialize, ToSchema)]
struct Weave {
    numbers: Vec<u64>,
}

/// Make something new, or fail.
#[utoipa::path(post, path = "/looms", request_body = Weave, responses((status = 201, body = String), docs::Creating))]
async fn weave(who: Caller, Json(Weave { numbers }): Json<Weave>) -> ApiResult<impl IntoResponse> {
    if numbers.is_empty() {
        return Err(ApiError::validation(Vec::new()));
    }
    Ok((StatusCode::CREATED, [("location", format!("/looms/{}", Uuid::now_v7()))], Json(who.team_id)))
}

macro_rules! shows_team {
    ($($method:ident $path:literal $name:ident),+) => {$(
        /// Show the team.
        #[utoipa::path($method, path = $path, responses((status = 200, body = String), docs::Publishing))]
        async fn $name(who: Caller) -> Json<String> {
            Json(who.team_id.to_string())
        }
    )+};
}

shows_team!(get "/looms" list, delete "/looms" burn, get "/looms/{team_id}" one, put "/looms" forgotten);

/// Show oneself.
#[utoipa::path(get, path = "/looms/mine", responses((status = 200, body = String), docs::Publishing))]
async fn mine(Member(who): Member) -> Json<String> {
    Json(who.member_id.to_string())
}

struct World {
    router: Router,
    passes: Passes,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let passes = Passes::new(clock.clone());
        passes.service(OURS, KEY);
        let looms = OpenApiRouter::default()
            .routes(routes!(list, weave, burn, forgotten))
            .routes(routes!(one))
            .routes(routes!(mine));
        let router = Api::new("looms", "Looms.", looms).build((), passes.gate_before(ROUTES));
        Self { router, passes, clock }
    }

    async fn by_key(&self, method: &str, path: &str) -> Answer {
        call(&self.router, request(method, &format!("/api/v1/{path}"), KEY)).await
    }

    async fn by_token(&self, method: &str, path: &str, token: &str) -> Answer {
        call(&self.router, by_token(request(method, &format!("/api/v1/{path}"), ""), token)).await
    }

    async fn weave(&self, token: &str) -> Answer {
        call(
            &self.router,
            by_token(request_with("POST", "/api/v1/looms", "", &json!({"numbers": [1]})), token),
        )
        .await
    }

    /// A request of the service with an idempotency key.
    async fn keyed(&self, key: &str, body: &Value) -> Answer {
        let mut request = request_with("POST", "/api/v1/looms", KEY, body);
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        call(&self.router, request).await
    }

    async fn in_team(&self, team: TeamId, token: &str) -> Answer {
        call(&self.router, for_team(by_token(request("GET", "/api/v1/looms", ""), token), team)).await
    }
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.code(), answer.problem_code())
}

#[tokio::test]
async fn each_role_and_service_may_what_the_table_says() {
    for (role, expected) in [
        (Role::Viewer, [200, 403, 403]),
        (Role::Editor, [200, 201, 403]),
        (Role::Admin, [200, 201, 403]),
        (Role::Owner, [200, 201, 200]),
    ] {
        let world = World::new();
        let token = world.passes.member(OURS, ADA, role).await;
        let answers = [
            world.by_token("GET", "looms", &token).await,
            world.weave(&token).await,
            world.by_token("DELETE", "looms", &token).await,
        ];
        for (answer, expected) in answers.into_iter().zip(expected) {
            assert_eq!(answer.code(), expected, "{role:?}");
            if expected == 403 {
                assert_eq!(answer.problem_code(), "forbidden");
            } else {
                assert_eq!(answer.body, json!(OURS));
            }
        }
    }
    let world = World::new();
    for (method, expected) in [("GET", 200), ("HEAD", 200), ("POST", 415), ("DELETE", 403)] {
        assert_eq!(world.by_key(method, "looms").await.code(), expected, "a service: {method}");
    }
}

#[tokio::test]
async fn who_shows_nothing_of_worth_is_told_nothing() {
    let world = World::new();
    let token = world.passes.member(OURS, ADA, Role::Owner).await;
    let mut tampered = token.clone();
    tampered.replace_range(token.len() - 4..token.len() - 3, if token.ends_with('A') { "B" } else { "A" });
    let bodies: Vec<_> = [
        call(&world.router, request("GET", "/api/v1/looms", "")).await,
        call(&world.router, request("GET", "/api/v1/looms", "hdl_nobody")).await,
        world.by_token("GET", "looms", "x.y.z").await,
        world.by_token("GET", "looms", &tampered).await,
        call(&world.router, by_token(request("GET", "/api/v1/looms/mine", ""), &tampered)).await,
        world.by_key("GET", "looms/mine").await,
    ]
    .into_iter()
    .map(|answer| {
        assert_eq!(refused(&answer), (401, "unauthorized".to_owned()));
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        answer.problem().detail
    })
    .collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(world.by_token("GET", "looms", &token).await.code(), 200);
    world.clock.advance(TimeDelta::minutes(16));
    assert_eq!(world.by_token("GET", "looms", &token).await.code(), 401, "it has expired");
}

#[tokio::test]
async fn a_member_of_several_teams_names_one_and_no_other_team_exists() {
    let world = World::new();
    let token = world.passes.member(OURS, ADA, Role::Viewer).await;
    assert_eq!(world.in_team(OURS, &token).await.body, json!(OURS));
    let [foreign, nowhere] = [THEIRS, TeamId::new(Uuid::from_u128(99))];
    for team in [foreign, nowhere] {
        assert_eq!(refused(&world.in_team(team, &token).await), (404, "not_found".to_owned()));
        let path = format!("looms/{team}");
        assert_eq!(world.by_token("GET", &path, &token).await.code(), 404);
        assert_eq!(world.by_key("GET", &path).await.code(), 404);
    }
    assert_eq!(world.by_token("GET", "looms/nonsense", &token).await.code(), 404);

    world.passes.member(THEIRS, ADA, Role::Owner).await;
    assert_eq!(refused(&world.by_token("GET", "looms", &token).await), (400, "invalid_header".to_owned()));
    assert_eq!(world.in_team(THEIRS, &token).await.body, json!(THEIRS));
    assert_eq!(world.by_token("GET", &format!("looms/{THEIRS}"), &token).await.body, json!(THEIRS));
    let mut twice = for_team(by_token(request("GET", "/api/v1/looms", ""), &token), OURS);
    twice.headers_mut().append("x-team-id", THEIRS.to_string().parse().unwrap());
    assert_eq!(call(&world.router, twice).await.code(), 400);
}

#[tokio::test]
async fn a_member_of_no_team_is_themselves_and_nothing_else() {
    let world = World::new();
    let token = world.passes.token(ADA).await;
    assert_eq!(world.by_token("GET", "looms/mine", &token).await.body, json!(ADA));
    assert_eq!(refused(&world.by_token("GET", "looms", &token).await), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn a_route_that_is_not_declared_answers_nobody() {
    let world = World::new();
    let token = world.passes.member(OURS, ADA, Role::Owner).await;
    assert_eq!(world.by_token("PUT", "looms", &token).await.code(), 500);
    assert_eq!(world.by_key("PUT", "looms").await.code(), 500);
    assert_eq!(world.by_key("PATCH", "looms").await.code(), 405);
}

#[tokio::test]
async fn sec_02_a_member_starts_sixty_a_minute_and_a_service_as_many_as_it_wants() {
    let world = World::new();
    let token = world.passes.member(OURS, ADA, Role::Editor).await;
    for left in (0..60).rev() {
        let answer = world.weave(&token).await;
        assert_eq!(answer.code(), 201);
        let standings: Vec<_> = answer.headers.get_all("ratelimit").iter().collect();
        assert_eq!(standings.len(), 2, "of all requests, and of starts");
        assert!(standings[1].to_str().unwrap().starts_with(&format!(r#""run-starts";r={left};t="#)));
    }
    let answer = world.weave(&token).await;
    assert_eq!(refused(&answer), (429, "rate_limited".to_owned()));
    assert_eq!(answer.header("ratelimit-policy"), r#""run-starts";q=60;w=60"#);
    let wait: i64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(world.by_token("GET", "looms", &token).await.code(), 200, "only starts are used up");
    for _ in 0..100 {
        let answer =
            call(&world.router, request_with("POST", "/api/v1/looms", KEY, &json!({"numbers": [1]}))).await;
        assert_eq!((answer.code(), answer.header("ratelimit")), (201, ""));
    }
    world.clock.advance(TimeDelta::seconds(wait));
    assert_eq!(world.weave(&token).await.code(), 201);
}

#[tokio::test]
async fn sec_01_a_member_calls_a_thousand_times_an_hour_and_others_are_counted_apart() {
    let world = World::new();
    let token = world.passes.member(OURS, ADA, Role::Viewer).await;
    let (most, window) = Rate::Api.most();
    app::ports::Counters::add(
        world.passes.counters.as_ref(),
        &format!("api/{ADA}"),
        most.try_into().unwrap(),
        window,
    )
    .await
    .unwrap();
    assert_eq!(world.by_token("GET", "looms", &token).await.code(), 429);
    let eve = world.passes.member(OURS, MemberId::new(Uuid::from_u128(12)), Role::Viewer).await;
    assert_eq!(world.by_token("GET", "looms", &eve).await.code(), 200);
}

#[tokio::test]
async fn the_same_key_and_body_are_done_once() {
    let world = World::new();
    let first = world.keyed("k", &json!({"numbers": [1]})).await;
    let again = world.keyed("k", &json!({"numbers": [1]})).await;
    assert_eq!((first.code(), first.header("idempotency-replayed")), (201, ""));
    assert_eq!((again.code(), again.header("idempotency-replayed")), (201, "true"));
    assert_eq!((first.header("location"), &first.body), (again.header("location"), &again.body));
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    let other = world.keyed("k", &json!({"numbers": [2]})).await;
    assert_eq!(refused(&other), (422, "idempotency_key_reused".to_owned()));
    assert_ne!(
        world.keyed("k2", &json!({"numbers": [1]})).await.header("location"),
        first.header("location")
    );
    assert_eq!(world.keyed("a b", &json!({"numbers": [1]})).await.problem_code(), "invalid_header");
    world.clock.advance(TimeDelta::hours(24));
    assert_ne!(world.keyed("k", &json!({"numbers": [1]})).await.header("location"), first.header("location"));
}

#[tokio::test]
async fn no_body_is_too_hostile_for_a_request_with_a_key() {
    let world = World::new();
    for body in hostile_bodies() {
        let mut request = body.request("POST", "/api/v1/looms", KEY);
        request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
        let answer = call(&world.router, request).await;
        assert_eq!(refused(&answer), (body.status, body.code.to_owned()), "{}", body.name);
    }
}

#[tokio::test]
async fn a_key_is_its_callers_own() {
    let world = World::new();
    let token = world.passes.member(OURS, ADA, Role::Editor).await;
    let first = world.keyed("k", &json!({"numbers": [1]})).await;
    let mut hers = by_token(request_with("POST", "/api/v1/looms", "", &json!({"numbers": [1]})), &token);
    hers.headers_mut().insert("idempotency-key", "k".parse().unwrap());
    let hers = call(&world.router, hers).await;
    assert_eq!((hers.code(), hers.header("idempotency-replayed")), (201, ""));
    assert_ne!(hers.header("location"), first.header("location"));
}

#[tokio::test]
async fn what_was_refused_may_be_tried_again_and_what_is_under_way_waits() {
    let world = World::new();
    assert_eq!(world.keyed("k", &json!({"numbers": []})).await.code(), 422);
    assert_eq!(
        world.keyed("k", &json!({"numbers": [1]})).await.code(),
        201,
        "with another body too: nothing was done"
    );
    // As its first request left it: who does it has not answered yet.
    let service = world.passes.service(OURS, KEY);
    let place = super::once::place_of(&format!("{OURS}/{service}"), "POST", "/api/v1/looms", "slow");
    let request = Sha256::digest(json!({"numbers": [1]}).to_string()).into();
    world.passes.answers.begin(&place, request, world.clock.now()).await.unwrap();
    let waits = world.keyed("slow", &json!({"numbers": [1]})).await;
    assert_eq!((refused(&waits), waits.header("retry-after")), ((409, "request_under_way".to_owned()), "1"));
}

#[tokio::test]
async fn the_document_says_who_may_call_and_how_others_are_refused() {
    let world = World::new();
    let document = call(&world.router, request("GET", "/api/v1/looms/openapi.json", "")).await.body;
    let operation = |method: &str, path: &str| document["paths"][path][method].clone();
    let burn = operation("delete", "/api/v1/looms");
    assert_eq!(burn["security"], json!([{"bearer": []}, {"cookie": []}]), "no service deletes a team");
    assert_eq!(burn["x-permission"], "team:delete");
    let list = operation("get", "/api/v1/looms");
    assert_eq!(list["security"], json!([{"bearer": []}, {"cookie": []}, {"api_key": []}]));
    for status in ["400", "401", "403", "404", "429"] {
        assert!(list["responses"][status].is_object(), "{status}");
    }
    assert!(operation("get", "/api/v1/looms/mine").get("x-permission").is_none());
    let weave = operation("post", "/api/v1/looms");
    assert_eq!(weave["parameters"][0]["name"], "X-Team-Id");
    assert_eq!(weave["parameters"][1]["name"], "Idempotency-Key");
    assert!(weave["responses"]["409"]["description"].as_str().unwrap().contains("request_under_way"));
}

#[tokio::test]
async fn sec_03_pages_of_listed_origins_may_call_and_others_are_not_told_so() {
    let World { passes, .. } = World::new();
    let gate = passes.gate_before(ROUTES).open_to("https://studio.example.com".parse().unwrap());
    let router = Api::new("looms", "Looms.", OpenApiRouter::default().routes(routes!(list))).build((), gate);
    let asked = |method: &str, origin: &str| {
        let mut asked = request(method, "/api/v1/looms", if method == "GET" { KEY } else { "" });
        asked.headers_mut().insert("origin", origin.parse().unwrap());
        asked.headers_mut().insert("access-control-request-method", "GET".parse().unwrap());
        let router = router.clone();
        async move { call(&router, asked).await }
    };
    for (origin, allowed) in
        [("https://studio.example.com", "https://studio.example.com"), ("https://evil.example", "")]
    {
        let (preflight, read) = (asked("OPTIONS", origin).await, asked("GET", origin).await);
        assert_eq!((preflight.header(ALLOWED), read.header(ALLOWED)), (allowed, allowed));
        assert_eq!((preflight.code(), read.code()), (200, 200));
    }
    let own = call(&World::new().router, request("OPTIONS", "/api/v1/looms", "")).await;
    assert_eq!((own.code(), own.header(ALLOWED)), (405, ""), "no list, no answer");
}
