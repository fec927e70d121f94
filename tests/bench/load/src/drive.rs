//! The clients, and what is measured while they work.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    client::{Api, Connection, Failure},
    cpu,
    options::Options,
    stats::Latency,
    target::Target,
    workloads::{self, Workload},
};

/// How long an answer may wait for its run's end.
pub(crate) const WAIT_S: u64 = 10;

/// What one workload came to with so many clients.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    pub(crate) workload: &'static str,
    pub(crate) clients: u16,
    pub(crate) runs: u64,
    pub(crate) seconds: f64,
    pub(crate) runs_per_second: f64,
    #[serde(flatten)]
    pub(crate) latency: Latency,
    pub(crate) cpu_ms_per_run: CpuPerRun,
}

/// Milliseconds of CPU time per run; None where no process was named.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct CpuPerRun {
    pub(crate) heddle: Option<f64>,
    pub(crate) postgres: Option<f64>,
    /// The driver itself, its HTTP server included.
    pub(crate) driver: f64,
}

/// Publishes workloads and runs them.
pub(crate) struct Driver<'a> {
    api: Api,
    server: Arc<str>,
    options: &'a Options,
    /// The number of the next run, counted over all measurements.
    next: Arc<AtomicU64>,
}

/// When clients start no further runs.
#[derive(Debug, Clone, Copy)]
struct Until {
    instant: Instant,
    /// The first run that is not started.
    run: u64,
}

impl<'a> Driver<'a> {
    /// A driver of an API whose workflows may call `target`.
    pub(crate) fn new(api: Api, target: &Target, options: &'a Options) -> Self {
        Self { api, server: target.url.as_str().into(), options, next: Arc::default() }
    }

    /// Creates and publishes a workload's workflow; answers its id.
    pub(crate) async fn publish(&self, workload: &Workload) -> Result<String, Failure> {
        let mut connection = Connection::open(self.api.clone()).await?;
        let mut call = async |method, path: &str, body: &Value, expected: StatusCode| {
            let (status, answer) = connection.call(method, path, body, None).await?;
            if status == expected {
                return Ok(answer);
            }
            Err(Failure::Wrong(format!("{}: {path} answered {status}: {answer:#}", workload.name)))
        };
        let name = json!({"name": format!("load: {}", workload.name), "is_api": true});
        let created = call(Method::POST, "/api/v1/workflows", &name, StatusCode::CREATED).await?;
        let id = created["id"].as_str().unwrap_or_default().to_owned();
        let path = format!("/api/v1/workflows/{id}");
        call(Method::PUT, &format!("{path}/graph"), &(workload.graph)(), StatusCode::OK).await?;
        call(Method::POST, &format!("{path}/publish"), &json!({}), StatusCode::CREATED).await?;
        Ok(id)
    }

    /// Warms up and measures.
    pub(crate) async fn measure(
        &self,
        workload: &'static Workload,
        workflow: &str,
        clients: u16,
    ) -> Result<Measured, Failure> {
        let warm_up = self.until(self.options.warm_up());
        self.load(workload, workflow, clients, warm_up).await?;

        let (before, start) = (self.cpu()?, Instant::now());
        let latencies = self.load(workload, workflow, clients, self.until(self.options.length())).await?;
        let (took, after) = (start.elapsed(), self.cpu()?);

        let runs = latencies.len() as u64;
        let latency = Latency::of(latencies)
            .ok_or_else(|| Failure::Usage("a measurement needs time for one run at least".to_owned()))?;
        #[allow(clippy::cast_precision_loss, reason = "no measurement has 2^52 runs")]
        let count = runs as f64;
        let each = |before: f64, after: f64| (after - before) * 1000.0 / count;
        Ok(Measured {
            workload: workload.name,
            clients,
            runs,
            seconds: took.as_secs_f64(),
            runs_per_second: count / took.as_secs_f64(),
            latency,
            cpu_ms_per_run: CpuPerRun {
                heddle: before.heddle.zip(after.heddle).map(|(before, after)| each(before, after)),
                postgres: before.postgres.zip(after.postgres).map(|(before, after)| each(before, after)),
                driver: each(before.driver, after.driver),
            },
        })
    }

    fn until(&self, length: Duration) -> Until {
        let first = self.next.load(Ordering::Relaxed);
        let run = self.options.runs.map_or(u64::MAX, |runs| first.saturating_add(runs));
        Until { instant: Instant::now() + length, run }
    }

    /// Keeps that many clients busy; answers how long each run took. The first failure ends all of them.
    async fn load(
        &self,
        workload: &'static Workload,
        workflow: &str,
        clients: u16,
        until: Until,
    ) -> Result<Vec<Duration>, Failure> {
        let mut busy = JoinSet::new();
        for _ in 0..clients {
            let client = Client {
                connection: Connection::open(self.api.clone()).await?,
                workload,
                workflow: workflow.to_owned(),
                server: self.server.clone(),
                next: self.next.clone(),
            };
            busy.spawn(client.work(until));
        }
        let mut latencies = Vec::new();
        while let Some(ended) = busy.join_next().await {
            latencies.extend(ended.map_err(|error| Failure::Wrong(format!("a client: {error}")))??);
        }
        Ok(latencies)
    }

    /// CPU seconds so far.
    fn cpu(&self) -> Result<CpuPerRun, Failure> {
        Ok(CpuPerRun {
            heddle: self.options.pid.map(cpu::seconds_of_tree).transpose()?,
            postgres: self.options.postgres_pid.map(cpu::seconds_of_tree).transpose()?,
            driver: cpu::seconds_of_tree(process::id())?,
        })
    }
}

/// One client of the closed loop.
struct Client {
    connection: Connection,
    workload: &'static Workload,
    workflow: String,
    server: Arc<str>,
    next: Arc<AtomicU64>,
}

impl Client {
    /// Starts run after run, each when the one before has its answer.
    async fn work(mut self, until: Until) -> Result<Vec<Duration>, Failure> {
        let mut latencies = Vec::new();
        while Instant::now() < until.instant {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            if n >= until.run {
                break;
            }
            latencies.push(self.run(n).await?);
        }
        Ok(latencies)
    }

    /// One run: how long its answer took, if it is the right one.
    async fn run(&mut self, n: u64) -> Result<Duration, Failure> {
        let start = json!({"workflow_id": self.workflow, "inputs": workloads::inputs(n, &self.server)});
        let began = Instant::now();
        let (status, answer) =
            self.connection.call(Method::POST, "/api/v1/runs", &start, Some(WAIT_S)).await?;
        let took = began.elapsed();
        let expected = (self.workload.result)(n);
        if status == StatusCode::OK && answer["status"] == "succeeded" && answer["result"] == expected {
            return Ok(took);
        }
        let name = self.workload.name;
        Err(Failure::Wrong(format!(
            "{name}, run {n}: expected 200 and\n{expected:#}\nbut was answered {status} and\n{answer:#}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, extract::Json as Body, routing::post};
    use tokio::net::TcpListener;

    use super::*;

    const WORKLOAD: &Workload = &workloads::ALL[0];

    /// One run against a server that answers by `status` and `answer`, which is given the right result.
    async fn run_against(status: StatusCode, answer: fn(Value) -> Value) -> Result<Duration, Failure> {
        let handler = move |Body(start): Body<Value>| async move {
            let n = start["inputs"]["n"].as_u64().unwrap_or_default();
            (status, Json(answer((WORKLOAD.result)(n))))
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            axum::serve(listener, Router::new().route("/api/v1/runs", post(handler))).await
        });
        let connection = Connection::open(Api::new(&url, "key")?).await?;
        let (workflow, server) = ("w".to_owned(), "http://127.0.0.1:1".into());
        Client { connection, workload: WORKLOAD, workflow, server, next: Arc::default() }.run(7).await
    }

    #[tokio::test]
    async fn the_right_result_of_a_run_that_succeeded_counts() {
        let answer = |result| json!({"run_id": "r", "status": "succeeded", "result": result});
        assert!(run_against(StatusCode::OK, answer).await.is_ok());
    }

    #[tokio::test]
    async fn a_wrong_result_a_failed_run_and_one_that_goes_on_are_failures() {
        let wrong = |_| json!({"run_id": "r", "status": "succeeded", "result": {"n": 1}});
        let failed = |result| json!({"run_id": "r", "status": "failed", "result": result});
        let right = |result| json!({"run_id": "r", "status": "succeeded", "result": result});
        assert!(matches!(run_against(StatusCode::OK, wrong).await, Err(Failure::Wrong(_))));
        assert!(matches!(run_against(StatusCode::OK, failed).await, Err(Failure::Wrong(_))));
        assert!(matches!(run_against(StatusCode::ACCEPTED, right).await, Err(Failure::Wrong(_))));
    }
}
