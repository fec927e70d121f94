//! Heddle behind its HTTP API: one process, or functions on the emulated AWS.

use std::{process, time::Duration};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use url::Url;

use super::{
    Client, System,
    connection::{Api, Connection},
};
use crate::{
    cpu,
    failure::{Failure, PATIENCE},
    options::Processes,
    peak,
    spent::{self, Asked, Cpu, Spent},
    workloads::Workload,
};

/// How long an answer may wait for its run's end.
pub(crate) const WAIT_S: u64 = 10;

/// How long nobody may ask anything before all work is taken to be done.
const QUIET: Duration = Duration::from_millis(400);

/// A Heddle that serves its API.
pub(crate) struct Served {
    api: Api,
    processes: Processes,
    meter: Option<Api>,
}

impl Served {
    /// The one at this URL, whose work is seen in these processes and by this meter.
    pub(crate) fn new(
        url: &Url,
        key: &str,
        processes: Processes,
        meter: Option<&Url>,
    ) -> Result<Self, Failure> {
        let meter = meter.map(|url| Api::new(url, "none")).transpose()?;
        Ok(Self { api: Api::new(url, key)?, processes, meter })
    }

    fn cpu(&self) -> Result<Cpu, Failure> {
        let Processes { pid, postgres_pid, emulator_pid } = self.processes;
        let functions = emulator_pid.map(cpu::seconds_of_functions).transpose()?;
        let of_functions = functions.as_ref().map(|functions| functions.values().sum());
        Ok(Cpu {
            heddle: pid.map(cpu::seconds_of_tree).transpose()?.or(of_functions),
            postgres: postgres_pid.map(cpu::seconds_of_tree).transpose()?,
            emulator: emulator_pid.map(cpu::seconds_alone).transpose()?,
            driver: cpu::seconds_of_tree(process::id())?,
            functions: functions.unwrap_or_default(),
        })
    }

    /// What the meter has counted, once it counts no more.
    async fn asked(&self) -> Result<Option<Vec<Asked>>, Failure> {
        let Some(meter) = &self.meter else { return Ok(None) };
        let mut connection = Connection::open(meter.clone()).await?;
        let mut look = async || {
            let (status, told) = connection.call(Method::GET, "", &Value::Null, None).await?;
            let asked: Result<Vec<Asked>, _> = serde_json::from_value(told);
            asked.map_err(|error| Failure::Wrong(format!("the meter answered {status}: {error}")))
        };
        let (start, mut last) = (Instant::now(), look().await?);
        loop {
            sleep(QUIET).await;
            let now = look().await?;
            if now == last {
                return Ok(Some(now));
            }
            if start.elapsed() > PATIENCE {
                return Err(Failure::Wrong("requests are made although no run is under way".to_owned()));
            }
            last = now;
        }
    }
}

impl System for Served {
    type Client = HttpClient;

    async fn publish(&self, workload: &Workload) -> Result<String, Failure> {
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

    async fn client(&self) -> Result<HttpClient, Failure> {
        Ok(HttpClient { connection: Connection::open(self.api.clone()).await? })
    }

    async fn spent(&self) -> Result<Spent, Failure> {
        let asked = self.asked().await?;
        let functions = self.processes.emulator_pid.map(cpu::functions_below).transpose()?;
        let mut named: Vec<_> = functions.unwrap_or_default();
        named.extend(self.processes.pid.map(|pid| ("heddle".to_owned(), pid)));
        let peaks = named.into_iter().filter_map(|(name, pid)| Some((name, peak::mb(pid)?)));
        Ok(Spent { cpu: self.cpu()?, peak_mb: spent::peak(peaks), asked })
    }
}

/// One connection that stays open.
pub(crate) struct HttpClient {
    connection: Connection,
}

impl Client for HttpClient {
    async fn run(&mut self, workflow: &str, inputs: Value) -> Result<Value, Failure> {
        let start = json!({"workflow_id": workflow, "inputs": inputs});
        let (status, mut answer) =
            self.connection.call(Method::POST, "/api/v1/runs", &start, Some(WAIT_S)).await?;
        if status == StatusCode::OK && answer["status"] == "succeeded" {
            return Ok(answer["result"].take());
        }
        Err(Failure::Wrong(format!("a run was answered {status} and\n{answer:#}")))
    }
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, routing::post};
    use tokio::net::TcpListener;

    use super::*;

    /// One run against a server that gives this answer.
    async fn run_against(status: StatusCode, answer: Value) -> Result<Value, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let handler = move || async move { (status, Json(answer)) };
        tokio::spawn(async move {
            axum::serve(listener, Router::new().route("/api/v1/runs", post(handler))).await
        });
        let served = Served::new(&url, "key", Processes::default(), None)?;
        served.client().await?.run("w", json!({"n": 7})).await
    }

    #[tokio::test]
    async fn the_result_of_a_run_that_succeeded_is_answered() {
        let answer = json!({"run_id": "r", "status": "succeeded", "result": {"n": 7}});
        assert_eq!(run_against(StatusCode::OK, answer).await.unwrap(), json!({"n": 7}));
    }

    #[tokio::test]
    async fn a_failed_run_and_one_that_goes_on_are_failures() {
        let failed = json!({"run_id": "r", "status": "failed", "result": {"n": 7}});
        let goes_on = json!({"run_id": "r", "status": "running", "result": null});
        assert!(matches!(run_against(StatusCode::OK, failed).await, Err(Failure::Wrong(_))));
        assert!(matches!(run_against(StatusCode::ACCEPTED, goes_on).await, Err(Failure::Wrong(_))));
    }
}
