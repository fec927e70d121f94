//! The binary, a database and a folder of its own, and a server that workflows call.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::any,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::TestDatabase;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};

/// An installation of one test's own, without any table.
pub struct Heddle {
    pub database: TestDatabase,
    pub folder: TempDir,
}

impl Heddle {
    pub async fn new() -> Self {
        Self { database: TestDatabase::empty().await, folder: tempfile::tempdir().unwrap() }
    }

    /// The binary with this installation's settings and none of the test's.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = bare(args);
        command
            .env("DATABASE_URL", self.database.url())
            .env("HEDDLE_DATA", self.folder.path().join("data"))
            .env("EGRESS_ALLOW", "127.0.0.1/32");
        command
    }

    /// Runs a command to its end.
    pub fn call(&self, args: &[&str]) -> Ended {
        ended(self.command(args))
    }

    /// Starts a command whose lines on stdout are read one after the other.
    pub fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Running { child, lines }
    }

    /// Writes a file of the installation.
    pub fn file(&self, name: &str, content: &Value) -> String {
        let path = self.path(name);
        fs::write(&path, content.to_string()).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The binary without any settings.
pub fn bare(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heddle"));
    command.args(args).env_clear();
    command
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

pub fn ended(mut command: Command) -> Ended {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: status.code(), out: text(stdout), err: text(stderr) }
}

impl Ended {
    /// Fails the test if the command did not end like this.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// stdout as one JSON value.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// stdout as one JSON value per line.
    pub fn events(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A command that runs. Killed with the test.
pub struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Running {
    /// The next line that is JSON with this field, read as the field's value.
    pub fn next(&mut self, field: &str) -> String {
        let mut line = String::new();
        while self.lines.read_line(&mut line).unwrap() > 0 {
            let value: Value = serde_json::from_str(&line).unwrap();
            if let Some(found) = value[field].as_str() {
                return found.to_owned();
            }
            line.clear();
        }
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        panic!("stdout ended without {field}: {err}");
    }

    /// Sends a signal by its name, such as `INT`.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        assert!(kill.args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Kills it without warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; answers its status and the rest of stderr.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap(), err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server on loopback. `/hold` answers only once it was released; `/status/418` with that status; everything else at once.
pub struct Target {
    pub url: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Path and idempotency key of each call.
    received: Mutex<Vec<(String, String)>>,
    arrived: Notify,
    released: watch::Sender<bool>,
}

impl Target {
    pub async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let app = Router::new().fallback(any(answer)).with_state(inner.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { url, inner }
    }

    pub fn received(&self) -> Vec<(String, String)> {
        self.inner.received.lock().unwrap().clone()
    }

    /// Waits until this many calls have arrived.
    pub async fn arrivals(&self, count: usize) {
        loop {
            let arrived = self.inner.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            if self.received().len() >= count {
                return;
            }
            arrived.await;
        }
    }

    /// Lets `/hold` answer from now on.
    pub fn release(&self) {
        self.inner.released.send_replace(true);
    }
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
    inner.received.lock().unwrap().push((path.clone(), key.to_owned()));
    inner.arrived.notify_waiters();
    if path == "/hold" {
        inner.released.subscribe().wait_for(|released| *released).await.unwrap();
    }
    let status = path.strip_prefix("/status/").and_then(|status| status.parse().ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
    (status, Json(json!({"path": path, "n": 7}))).into_response()
}

/// Calls the target's paths one after the other, and answers the `n` of the last answer.
pub fn calls(target: &Target, paths: &[&str]) -> Value {
    let keys: Vec<String> = (1..=paths.len()).map(|number| format!("call_{number}")).collect();
    let call = |(key, path): (&String, &&str)| json!({"key": key, "node_type": "get_api", "timeout_s": 1, "metadata": {"url": format!("{}{path}", target.url)}});
    let mut nodes: Vec<Value> = keys.iter().zip(paths).map(call).collect();
    nodes.push(json!({"key": "answer", "node_type": "return", "metadata": {"output": "{{ input.body.n }}"}}));
    let from_to = keys.iter().zip(keys.iter().skip(1).map(String::as_str).chain(["answer"]));
    let edges: Vec<Value> = from_to.map(|(from, to)| json!({"from": from, "to": to})).collect();
    json!({"nodes": nodes, "edges": edges})
}

/// Doubles `input.n` without leaving the process.
pub fn doubling() -> Value {
    json!({
        "workflow": {
            "name": "Doubling",
            "is_api": true,
            "input_params": {"type": "object", "required": ["n"], "properties": {"n": {"type": "number"}}},
        },
        "graph": {
            "nodes": [
                {"key": "double", "node_type": "map", "metadata": {"mapping": {"n": "{{ input.n * 2 }}"}}},
                {"key": "is_big", "node_type": "if_else", "metadata": {"condition": "{{ input.n > 10 }}"}},
                {"key": "big", "node_type": "return", "metadata": {"output": "big"}},
                {"key": "small", "node_type": "return", "metadata": {"output": {"twice": "{{ input.n }}"}}},
            ],
            "edges": [
                {"from": "double", "to": "is_big"},
                {"from": "is_big", "to": "big", "label": "true"},
                {"from": "is_big", "to": "small", "label": "false"},
            ],
        },
        "sample_inputs": {"n": 3},
    })
}
