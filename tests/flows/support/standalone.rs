//! The single process, `heddle serve`, as someone runs it on a machine of their own: started, killed, started again.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::Value;
use sqlx::PgPool;
use tempfile::TempDir;
use test_support::TestDatabase;

use super::{api::Api, required};

/// How long a start may take; only there to fail one that never ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Heddle of the test's own: process, database, directory and port.
pub struct Standalone {
    process: Process,
    binary: PathBuf,
    directory: TempDir,
    address: SocketAddr,
    log_level: &'static str,
    // Dropped last: nothing is connected any more.
    database: TestDatabase,
}

impl Standalone {
    /// Migrates and seeds an empty database, and serves it.
    pub async fn start() -> Self {
        Self::start_logging("warn").await
    }

    /// As [`start`](Self::start), with what it logs from this level on.
    pub async fn start_logging(log_level: &'static str) -> Self {
        let binary = PathBuf::from(required("HEDDLE_FLOW_STANDALONE"));
        let database = TestDatabase::empty().await;
        let directory = tempfile::tempdir().expect("a directory");
        // The port is free again in a moment, and taken by every start of the process.
        let address = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).expect("a port");
        let mut standalone = Self { process: Process(None), binary, directory, address, log_level, database };
        standalone.command(&["migrate"]);
        standalone.command(&["seed", "--key-file", &standalone.path("key")]);
        standalone.restart().await;
        standalone
    }

    /// A client of its API.
    pub fn api(&self) -> Api {
        let key = fs::read_to_string(self.path("key")).expect("the seeded key");
        Api::new(&format!("http://{}", self.address), key.trim())
    }

    /// What all of its teams are set to.
    pub async fn set_teams(&self, settings: Value) {
        let update = sqlx::query("update teams set settings = $1").bind(settings);
        update.execute(self.database.pool()).await.expect("teams have settings");
    }

    /// All of its files: logs, large values, keys.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Its database.
    pub fn database(&self) -> &PgPool {
        self.database.pool()
    }

    /// SIGKILL: nothing of the process gets to run any more.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts the process on the same database, directory and port, and waits until it is ready.
    pub async fn restart(&mut self) {
        let (listen, data) = (self.address.to_string(), self.path("data"));
        let serve = ["serve", "--listen", &listen, "--workers", "8", "--data", &data];
        let child = self.heddle(&serve).args(["--egress-allow", "127.0.0.1/32"]).spawn();
        self.process = Process(Some(child.expect("heddle starts")));
        let (api, started) = (self.api(), Instant::now());
        while !api.request(Method::GET, "/health/ready").send().await.is_ok_and(|a| a.status().is_success()) {
            assert!(self.process.lives(), "heddle ended by itself:\n{}", self.last_lines());
            assert!(
                started.elapsed() < PATIENCE,
                "heddle is not ready after {PATIENCE:?}:\n{}",
                self.last_lines()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The end of what it has logged, over all of its lives.
    pub fn last_lines(&self) -> String {
        let text = fs::read_to_string(self.path("log")).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn command(&self, arguments: &[&str]) {
        let ended = self.heddle(arguments).status().expect("heddle starts");
        assert!(ended.success(), "heddle {}: {ended}\n{}", arguments[0], self.last_lines());
    }

    fn heddle(&self, arguments: &[&str]) -> Command {
        let log = File::options().create(true).append(true).open(self.path("log")).expect("the log");
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", self.database.url())
            .env("LOG_LEVEL", self.log_level);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("the log")).stderr(log);
        command
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().expect("a path in UTF-8").to_owned()
    }
}

/// A process that does not outlive the test.
struct Process(Option<Child>);

impl Process {
    fn lives(&mut self) -> bool {
        self.0.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.0.take() {
            // It may have ended by itself, when the test failed.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
