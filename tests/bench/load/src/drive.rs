//! The clients, and what is measured while they work.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    failure::Failure,
    options::Options,
    spent::Spent,
    stats::Latency,
    system::{Client, System},
    workloads::{self, Workload},
};

/// What one workload came to with so many clients.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    /// What was measured, in a word or two.
    pub(crate) on: &'static str,
    pub(crate) workload: &'static str,
    pub(crate) clients: u16,
    pub(crate) runs: u64,
    pub(crate) steps_per_run: u32,
    pub(crate) effects_per_run: u32,
    pub(crate) seconds: f64,
    pub(crate) runs_per_second: f64,
    pub(crate) steps_per_second: f64,
    #[serde(flatten)]
    pub(crate) latency: Latency,
    /// CPU in milliseconds, requests and their units.
    pub(crate) per_run: Spent,
}

impl Measured {
    /// Heddle's own CPU time for each step, in milliseconds.
    pub(crate) fn cpu_ms_per_step(&self) -> Option<f64> {
        Some(self.per_run.cpu.heddle? / f64::from(self.steps_per_run))
    }
}

/// Publishes workloads and runs them.
pub(crate) struct Driver<'a, S> {
    on: &'static str,
    system: S,
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

impl<'a, S: System> Driver<'a, S> {
    /// A driver of a system whose workflows may call `server`.
    pub(crate) fn new(on: &'static str, system: S, server: &str, options: &'a Options) -> Self {
        Self { on, system, server: server.into(), options, next: Arc::default() }
    }

    /// Publishes a workload, and measures it with each number of clients.
    pub(crate) async fn measure(&self, workload: &'static Workload) -> Result<Vec<Measured>, Failure> {
        let workflow = self.system.publish(workload).await?;
        let mut measured = Vec::new();
        for &clients in &self.options.clients {
            eprintln!("{}: {} with {clients} client(s) …", self.on, workload.name);
            measured.push(self.measure_with(workload, &workflow, clients).await?);
        }
        Ok(measured)
    }

    /// Warms up and measures.
    async fn measure_with(
        &self,
        workload: &'static Workload,
        workflow: &str,
        clients: u16,
    ) -> Result<Measured, Failure> {
        let warm_up = self.until(self.options.warm_up());
        self.load(workload, workflow, clients, warm_up).await?;

        let (before, start) = (self.system.spent().await?, Instant::now());
        let latencies = self.load(workload, workflow, clients, self.until(self.options.length())).await?;
        let took = start.elapsed().as_secs_f64();
        let after = self.system.spent().await?;

        let runs = latencies.len() as u64;
        let latency = Latency::of(latencies)
            .ok_or_else(|| Failure::Usage("a measurement needs time for one run at least".to_owned()))?;
        #[allow(clippy::cast_precision_loss, reason = "no measurement has 2^52 runs")]
        let count = runs as f64;
        Ok(Measured {
            on: self.on,
            workload: workload.name,
            clients,
            runs,
            steps_per_run: workload.steps,
            effects_per_run: workload.effects,
            seconds: took,
            runs_per_second: count / took,
            steps_per_second: count * f64::from(workload.steps) / took,
            latency,
            per_run: after.per_run(&before, count),
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
            let starter = Starter {
                client: self.system.client().await?,
                workload,
                workflow: workflow.to_owned(),
                server: self.server.clone(),
                next: self.next.clone(),
            };
            busy.spawn(starter.work(until));
        }
        let mut latencies = Vec::new();
        while let Some(ended) = busy.join_next().await {
            latencies.extend(ended.map_err(|error| Failure::Wrong(format!("a client: {error}")))??);
        }
        Ok(latencies)
    }
}

/// One client in the closed loop.
struct Starter<C> {
    client: C,
    workload: &'static Workload,
    workflow: String,
    server: Arc<str>,
    next: Arc<AtomicU64>,
}

impl<C: Client> Starter<C> {
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
        let (name, inputs) = (self.workload.name, workloads::inputs(n, &self.server));
        let began = Instant::now();
        let result = self.client.run(&self.workflow, inputs).await?;
        let took = began.elapsed();
        let expected = (self.workload.result)(n);
        if result == expected {
            return Ok(took);
        }
        Err(Failure::Wrong(format!("{name}, run {n}: expected\n{expected:#}\nbut it came to\n{result:#}")))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::{Value, json};

    use super::*;

    const WORKLOAD: &Workload = &workloads::ALL[0];

    /// A system that comes to the result of the runs before this one, and to a wrong one from then on.
    struct Right {
        before: u64,
    }

    impl System for Right {
        type Client = Self;

        async fn publish(&self, _: &Workload) -> Result<String, Failure> {
            Ok("w".to_owned())
        }

        async fn client(&self) -> Result<Self, Failure> {
            Ok(Self { before: self.before })
        }

        async fn spent(&self) -> Result<Spent, Failure> {
            Ok(Spent::default())
        }
    }

    impl Client for Right {
        async fn run(&mut self, _: &str, inputs: Value) -> Result<Value, Failure> {
            tokio::task::yield_now().await;
            let n = inputs["n"].as_u64().unwrap_or_default();
            Ok(if n < self.before { (WORKLOAD.result)(n) } else { json!({"n": 1}) })
        }
    }

    async fn measure(before: u64) -> Result<Vec<Measured>, Failure> {
        let options = ["load", "--in-memory", "--clients", "1,4", "--runs", "10", "--warm-up", "0"];
        let options = Options::try_parse_from(options).map_err(|error| Failure::Usage(error.to_string()))?;
        Driver::new("test", Right { before }, "http://127.0.0.1:1", &options).measure(WORKLOAD).await
    }

    #[tokio::test]
    async fn as_many_runs_as_were_asked_for_are_measured_with_each_number_of_clients() {
        let measured = measure(u64::MAX).await.unwrap();
        let seen: Vec<_> = measured.iter().map(|row| (row.clients, row.runs)).collect();
        assert_eq!(seen, [(1, 10), (4, 10)]);
        let steps = f64::from(WORKLOAD.steps);
        assert!((measured[0].steps_per_second / measured[0].runs_per_second - steps).abs() < 1e-9);
    }

    #[tokio::test]
    async fn a_wrong_result_ends_the_measurement() {
        assert!(matches!(measure(13).await, Err(Failure::Wrong(_))));
    }
}
