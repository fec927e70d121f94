//! A client of the public API, as a developer would write one.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::required;

const OWNER: &str = "owner@demo.example";
const PASSWORD: &str = "a password of the flows";
/// The password at the cost of the product.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=65536,t=3,p=4$IO49Bvm+CONJHHshGq2jWw$uf84es0sL2f0QPzvdHY1a5g0GYgJovMCVdZe1xS+6FI";

/// The API with the demo team's key, or as a member of it.
pub struct Api {
    client: reqwest::Client,
    base: Url,
    key: String,
    token: Option<String>,
}

/// Status and JSON body of an answer.
pub struct Answer {
    pub status: StatusCode,
    pub content_type: String,
    pub body: Value,
}

impl Api {
    /// The functions deployed to the emulated AWS.
    pub fn on_aws() -> Self {
        Self::new(&required("HEDDLE_FLOW_BASE_URL"), &required("HEDDLE_FLOW_API_KEY"))
    }

    /// The same functions in one process.
    pub fn standalone() -> Self {
        Self::new(&required("HEDDLE_FLOW_STANDALONE_URL"), &required("HEDDLE_FLOW_API_KEY"))
    }

    /// The API under a base URL.
    pub fn new(base: &str, key: &str) -> Self {
        let base = Url::parse(base).unwrap_or_else(|error| panic!("{base}: {error}"));
        // reqwest asks for it, though all is plain HTTP here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1));
        // API Gateway's emulated host names end in `.localhost`, which not every resolver knows.
        if let (Some(host), Some(port)) = (base.host_str(), base.port())
            && host.ends_with(".localhost")
        {
            client = client.resolve(host, SocketAddr::from(([127, 0, 0, 1], port)));
        }
        Self { client: client.build().expect("a client"), base, key: key.to_owned(), token: None }
    }

    /// The same as the owner of the demo team, who signs in by a password that they are given here.
    pub async fn acting_as_owner(self, database: &PgPool) -> Self {
        sqlx::query(
            "update users u set password_hash = $2 from members m where m.id = u.member_id and m.email = $1",
        )
        .bind(OWNER)
        .bind(PASSWORD_HASH)
        .execute(database)
        .await
        .expect("the demo team has an owner");
        let login = json!({"email": OWNER, "password": PASSWORD});
        let signed_in = with_json(self.anonymous(Method::POST, "/api/v1/auth/login"), &login);
        let signed_in = Answer::of(signed_in).await.expect(200);
        Self { token: signed_in["access_token"].as_str().map(str::to_owned), ..self }
    }

    /// A request with the key, or with the member's token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.anonymous(method, path);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request.header("x-api-key", &self.key),
        }
    }

    /// A request without a key.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        self.client.request(method, url)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(with_json(self.request(Method::POST, path), body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::of(with_json(self.request(Method::PUT, path), body)).await
    }

    /// Creates a workflow with this graph and publishes it; answers its id.
    pub async fn publish(&self, name: &str, graph: &Value) -> String {
        let workflow =
            self.post("/api/v1/workflows", &json!({"name": name, "is_api": true})).await.expect(201);
        let id = workflow["id"].as_str().expect("an id").to_owned();
        self.put(&format!("/api/v1/workflows/{id}/graph"), graph).await.expect(200);
        self.post(&format!("/api/v1/workflows/{id}/publish"), &json!({})).await.expect(201);
        id
    }

    /// Starts a run and answers its id at once.
    pub async fn start(&self, workflow: &str, inputs: Value) -> String {
        let body = json!({"workflow_id": workflow, "inputs": inputs});
        run_id(&self.post("/api/v1/runs", &body).await.expect(202))
    }

    /// The ids of all runs of a workflow.
    pub async fn list(&self, workflow: &str) -> Vec<String> {
        let (mut runs, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/runs?workflow_id={workflow}&limit=100{cursor}");
            let page = self.get(&path).await.expect(200);
            let items = page["items"].as_array().expect("runs");
            runs.extend(items.iter().filter_map(|run| run["id"].as_str()).map(str::to_owned));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return runs,
            }
        }
    }

    /// Reads the run until it has ended; the bound is only there to fail a run that never does.
    pub async fn ended(&self, run: &str) -> Value {
        let patience = Duration::from_mins(2);
        let ended = async {
            loop {
                let detail = self.get(&format!("/api/v1/runs/{run}")).await.expect(200);
                if !matches!(detail["status"].as_str(), Some("pending" | "running" | "waiting")) {
                    return detail;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(patience, ended)
            .await
            .unwrap_or_else(|_| panic!("run {run} has not ended in {patience:?}"))
    }
}

/// The id in the answer to a start.
pub fn run_id(answer: &Value) -> String {
    answer["run_id"].as_str().unwrap_or_else(|| panic!("no run id in {answer:#}")).to_owned()
}

/// Adds a JSON body.
pub fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

impl Answer {
    /// Sends the request and reads the answer; a body that is not JSON is null.
    pub async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let content_type =
            answer.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let text = answer.text().await.expect("a body");
        Self { status, content_type, body: serde_json::from_str(&text).unwrap_or_default() }
    }

    /// The body, if the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// The problem, if the answer is one with this status; checks its form (RFC 9457).
    #[track_caller]
    pub fn expect_problem(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        assert_eq!(self.content_type, "application/problem+json", "{:#}", self.body);
        assert_eq!(self.body["status"], status, "{:#}", self.body);
        for member in ["type", "title", "detail", "instance"] {
            assert!(self.body[member].is_string(), "no {member} in {:#}", self.body);
        }
        self.body
    }
}
