//! The API and the workers in one process.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{Heddle, Running, Target, calls, doubling};

/// A server that is ready, with the key of its demo team.
struct Server {
    running: Running,
    client: reqwest::Client,
    base: String,
    key: String,
}

impl Server {
    async fn start(heddle: &Heddle) -> Self {
        let file = heddle.path("key");
        heddle.call(&["migrate"]).expect(0);
        heddle.call(&["seed", "--key-file", file.to_str().unwrap()]).expect(0);
        let mut running = heddle.start(&["serve", "--listen", "127.0.0.1:0", "--workers", "4"]);
        let base = format!("http://{}", running.next("address"));
        // reqwest asks for it, though all is plain HTTP here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(40)).build().unwrap();
        let key = fs::read_to_string(file).unwrap().trim().to_owned();
        let server = Self { running, client, base, key };
        assert_eq!(server.get("/health").await.status(), 200);
        server
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).header("x-api-key", &self.key)
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Value {
        let answer = self.request(method, path).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    /// Publishes a workflow of this graph; answers its id.
    async fn publish(&self, graph: &Value) -> String {
        let new = json!({"name": "served", "is_api": true});
        let created = self.send(Method::POST, "/api/v1/workflows", &new).await;
        let id = created["id"].as_str().unwrap();
        self.send(Method::PUT, &format!("/api/v1/workflows/{id}/graph"), graph).await;
        self.send(Method::POST, &format!("/api/v1/workflows/{id}/publish"), &json!({})).await;
        id.to_owned()
    }

    /// A start that waits for the end.
    fn start_and_wait(&self, workflow: &str, inputs: &Value) -> RequestBuilder {
        self.request(Method::POST, "/api/v1/runs")
            .header("prefer", "wait=20")
            .json(&json!({"workflow_id": workflow, "inputs": inputs}))
    }

    async fn stop(self) {
        self.running.signal("TERM");
        let (status, err) = tokio::task::spawn_blocking(move || self.running.wait()).await.unwrap();
        assert_eq!(status.code(), Some(0), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_answers_under_one_address() {
    let heddle = Heddle::new().await;
    let server = Server::start(&heddle).await;
    for path in [
        "/health/ready",
        "/api/v1/runs/health/ready",
        "/api/v1/workflows/health/ready",
        "/api/v1/runs/openapi.json",
        "/api/v1/workflows/openapi.json",
        "/api/v1/auth/openapi.json",
        "/api/v1/teams/openapi.json",
        "/api/v1/services/openapi.json",
        "/.well-known/jwks.json",
        "/api/v1/runs",
        "/api/v1/workflows?limit=1",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text().await.unwrap());
    }
    for path in ["/", "/api/v1/nothing", "/api/v1/workflows/1/2/3", "/api/v1/runs/nonsense"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
    server.stop().await;
}

/// The code in the only mail of the mailbox, whose file nobody else may read.
fn mailed_code(mailbox: &Path) -> String {
    let mails: Vec<_> = fs::read_dir(mailbox).unwrap().map(|file| file.unwrap().path()).collect();
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    assert_eq!(fs::metadata(mail).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(mail).unwrap();
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    text.split_whitespace().find(is_code).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_signs_in_by_the_code_in_the_mailbox_and_stays_signed_in_over_a_restart() {
    let heddle = Heddle::new().await;
    let server = Server::start(&heddle).await;
    let email = "owner@demo.example";
    let ask = json!({"email": email, "purpose": "login"});
    server.send(Method::POST, "/api/v1/auth/request-otp", &ask).await;
    let code = mailed_code(&heddle.path("data/mailbox"));
    let answer = json!({"email": email, "code": code});
    let tokens = server.send(Method::POST, "/api/v1/auth/verify-otp", &answer).await;
    let twice = server.request(Method::POST, "/api/v1/auth/verify-otp").json(&answer).send().await.unwrap();
    assert_eq!(twice.status(), 401);
    server.stop().await;

    let server = Server::start(&heddle).await;
    let get = async |path: &str, tokens: &Value| -> Value {
        let request = server.client.get(format!("{}{path}", server.base));
        let answer = request.bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap();
        answer.json().await.unwrap()
    };
    let me = get("/api/v1/auth/me", &tokens).await;
    assert_eq!((&me["email"], &me["is_email_verified"]), (&json!(email), &json!(true)));
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let renewed = server.send(Method::POST, "/api/v1/auth/refresh", &refresh).await;
    let list = get("/api/v1/auth/sessions", &renewed).await;
    assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["ip"]), (1, &json!("127.0.0.1")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_is_founded_its_service_calls_and_its_audit_log_proves_what_was_done() {
    let heddle = Heddle::new().await;
    let server = Server::start(&heddle).await;
    let ask = json!({"email": "owner@demo.example", "purpose": "login"});
    server.send(Method::POST, "/api/v1/auth/request-otp", &ask).await;
    let answer = json!({"email": "owner@demo.example", "code": mailed_code(&heddle.path("data/mailbox"))});
    let tokens = server.send(Method::POST, "/api/v1/auth/verify-otp", &answer).await;
    let post = async |path: String, team: &str, body: Value| -> Value {
        let request = server.client.post(format!("{}/api/v1/{path}", server.base)).json(&body);
        let request = request.bearer_auth(tokens["access_token"].as_str().unwrap());
        let request = if team.is_empty() { request } else { request.header("x-team-id", team) };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201, "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    };
    let made = post("teams".to_owned(), "", json!({"name": "Mills"})).await;
    let team = made["id"].as_str().unwrap();
    let invite = json!({"email": "ada@example.com", "role": "editor"});
    post(format!("teams/{team}/invite"), "", invite).await;
    assert_eq!(fs::read_dir(heddle.path("data/mailbox")).unwrap().count(), 2);
    let service = post("services".to_owned(), team, json!({"name": "Shop", "environment": "dev"})).await;
    let path = format!("services/{}/api-key", service["id"].as_str().unwrap());
    let issued = post(path, team, json!({})).await;
    let list = server.client.get(format!("{}/api/v1/workflows", server.base));
    let list = list.header("x-api-key", issued["api_key"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(list.status(), 200);
    server.stop().await;

    let verified = heddle.call(&["audit", "verify", "--team", team]).expect(0);
    assert!(verified.out.starts_with("4 entries, each as it was written\nhead "), "{}", verified.out);
    let tamper =
        "alter table audit_log disable trigger all; update audit_log set details = '{}' where number = 2;
        alter table audit_log enable trigger all";
    sqlx::raw_sql(tamper).execute(heddle.database.pool()).await.unwrap();
    let broken = heddle.call(&["audit", "verify", "--team", team]).expect(1);
    assert!(broken.out.starts_with("entry 2 of 4 is not what it was"), "{}", broken.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_worked_on_and_answered() {
    let heddle = Heddle::new().await;
    let server = Server::start(&heddle).await;
    let workflow = server.publish(&doubling()["graph"]).await;
    let answer = server.start_and_wait(&workflow, &json!({"n": 4})).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let ended: Value = answer.json().await.unwrap();
    assert_eq!((&ended["status"], &ended["result"]), (&json!("succeeded"), &json!({"twice": 8})));

    let run = ended["run_id"].as_str().unwrap();
    let detail: Value = server.get(&format!("/api/v1/runs/{run}")).await.json().await.unwrap();
    assert_eq!(detail["steps"].as_array().unwrap().len(), 4);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_followed_while_it_happens() {
    let (heddle, target) = (Heddle::new().await, Target::start().await);
    let server = Server::start(&heddle).await;
    let mut graph = calls(&target, &["/hold"]);
    graph["nodes"][0]["timeout_s"] = json!(30);
    let workflow = server.publish(&graph).await;
    let run = server.send(Method::POST, "/api/v1/runs", &json!({"workflow_id": workflow})).await;
    let path = format!("/api/v1/runs/{}/events", run["run_id"].as_str().unwrap());

    let mut stream = server.get(&path).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut told = String::new();
    while !told.contains("event: step.started\n") {
        told += std::str::from_utf8(&stream.chunk().await.unwrap().expect("the run goes on")).unwrap();
    }
    target.release();
    told += &stream.text().await.unwrap();
    let ends = told.rsplit("\n\n").find(|block| block.contains("event: ")).unwrap();
    assert!(ends.contains("event: run.succeeded\n"), "{told}");

    let last = ends.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
    let again = server.request(Method::GET, &path).header("last-event-id", last).send().await.unwrap();
    assert_eq!(again.status(), 204);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_finished_when_the_process_is_told_to_stop() {
    let (heddle, target) = (Heddle::new().await, Target::start().await);
    let server = Server::start(&heddle).await;
    let mut graph = calls(&target, &["/hold"]);
    graph["nodes"][0]["timeout_s"] = json!(30);
    let workflow = server.publish(&graph).await;
    let waiting = tokio::spawn(server.start_and_wait(&workflow, &json!({})).send());
    target.arrivals(1).await;

    server.running.signal("TERM");
    // New connections are refused from when the signal was heard.
    let listener = server.base.strip_prefix("http://").unwrap().to_owned();
    while tokio::net::TcpStream::connect(&listener).await.is_ok() {
        tokio::task::yield_now().await;
    }
    target.release();
    let ended: Value = waiting.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!((&ended["status"], &ended["result"]), (&json!("succeeded"), &json!(7)));
    let (status, err) = tokio::task::spawn_blocking(move || server.running.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_interrupted_goes_on_under_the_server() {
    let (heddle, target) = (Heddle::new().await, Target::start().await);
    let file = heddle.file("calls.json", &calls(&target, &["/hold", "/after"]));
    let mut interrupted = heddle.start(&["run", &file, "--json"]);
    let run = interrupted.next("run_id");
    target.arrivals(1).await;
    interrupted.kill();
    target.release();

    let server = Server::start(&heddle).await;
    target.arrivals(3).await;
    loop {
        let detail: Value = server.get(&format!("/api/v1/runs/{run}")).await.json().await.unwrap();
        if detail["status"] == "succeeded" {
            break;
        }
        assert_eq!(detail["status"], "running", "{detail:#}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_stands_in_the_way_of_serving_is_named_with_its_remedy() {
    let heddle = Heddle::new().await;
    let unmigrated = heddle.call(&["serve", "--listen", "127.0.0.1:0"]).expect(1);
    assert!(unmigrated.err.contains("run `heddle migrate`"), "{}", unmigrated.err);

    heddle.call(&["migrate"]).expect(0);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = heddle.call(&["serve", "--listen", &address]).expect(1);
    assert!(refused.err.contains(&format!("{address} is taken")), "{}", refused.err);
    assert!(refused.err.contains("--listen"), "{}", refused.err);

    heddle.call(&["serve", "--egress-allow", "everything"]).expect(2);
}
