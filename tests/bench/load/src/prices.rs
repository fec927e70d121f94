//! What steps cost on AWS, by what they asked for and a dated table of prices (`shared/engine/prices.json`).
//!
//! Counted is what a run needs: its start over HTTP, every read and write of the workers, their messages and their invocations. What
//! the function `runs` reads is left out, since it only reads for a caller who waits for the run's end. So are logs, storage and traffic, and
//! the time that effects themselves take, which depends on whom a workflow calls.
//!
//! A function is billed for the time from its call to its answer. That is the CPU time that was measured, as long as it takes on the share of a
//! CPU that the function's memory buys, and an assumed time for each request that it waits for.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    drive::Measured,
    failure::Failure,
    spent::{Asked, Spent},
};

/// The function that workflows are started by.
const STARTER: &str = "runs";
/// The function that the queue calls.
const WORKER: &str = "node-executor";

/// What AWS asks for, in US dollars.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Prices {
    pub(crate) looked_up_on: String,
    pub(crate) region: String,
    sources: BTreeMap<String, String>,
    per_million: PerMillion,
    lambda: Lambda,
    assumed_ms_per_request: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct PerMillion {
    dynamodb_write_units: f64,
    dynamodb_read_units: f64,
    sqs_requests: f64,
    sqs_fair_surcharge: f64,
    lambda_requests: f64,
    s3_writes: f64,
    s3_reads: f64,
    schedules: f64,
    http_api_requests: f64,
    secret_reads: f64,
    step_functions_transitions: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Lambda {
    architecture: String,
    per_gb_second: f64,
    /// The memory that comes with one whole CPU.
    mb_per_cpu: f64,
    memory_mb: BTreeMap<String, f64>,
}

/// What a million steps of a workload cost, and for what.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Price {
    pub(crate) workload: &'static str,
    pub(crate) clients: u16,
    pub(crate) dynamodb_writes: f64,
    pub(crate) dynamodb_reads: f64,
    pub(crate) sqs: f64,
    pub(crate) lambda_requests: f64,
    pub(crate) lambda_time: f64,
    pub(crate) http_api: f64,
    pub(crate) other: f64,
    pub(crate) total: f64,
}

impl Prices {
    /// The table of a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
        serde_json::from_str(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
    }

    /// The most that a million steps may cost: a tenth of as many state transitions (engine.md, Cost and speed to reach).
    pub(crate) fn goal(&self) -> f64 {
        self.per_million.step_functions_transitions / 10.0
    }

    /// What a second more of waiting in every step costs for a million of them.
    pub(crate) fn per_second_waited(&self) -> f64 {
        self.time(WORKER, 1.0) * 1e6
    }

    /// What a million steps cost of what was measured.
    pub(crate) fn of(&self, row: &Measured) -> Result<Price, Failure> {
        let asked = row.per_run.asked.as_deref().unwrap_or_default();
        let mut run = Price { workload: row.workload, clients: row.clients, ..Price::default() };
        for asked in asked.iter().filter(|asked| !is_waiting(asked)) {
            self.add(&mut run, asked)?;
        }
        for name in self.lambda.memory_mb.keys() {
            run.lambda_time += self.time(name, self.seconds(name, &row.per_run)) * 1e6;
        }
        Ok(run.shared_by(f64::from(row.steps_per_run)))
    }

    /// Adds what a million times this cost.
    fn add(&self, run: &mut Price, asked: &Asked) -> Result<(), Failure> {
        let Asked { by, service, operation, requests, units } = asked;
        let of = &self.per_million;
        let message = of.sqs_requests + of.sqs_fair_surcharge;
        match (service.as_str(), operation.as_str()) {
            ("dynamodb", operation) if is_read(operation) => {
                run.dynamodb_reads += units * of.dynamodb_read_units;
            }
            ("dynamodb", _) => run.dynamodb_writes += units * of.dynamodb_write_units,
            ("sqs", _) => run.sqs += units * message,
            ("lambda", "Invoke") => {
                run.lambda_requests += requests * of.lambda_requests;
                // What calls this function has received a batch of messages before and deletes it after.
                run.sqs += if by == WORKER { 2.0 * requests * message } else { 0.0 };
            }
            ("apigateway", _) => run.http_api += requests * of.http_api_requests,
            ("s3", "GET" | "HEAD") => run.other += requests * of.s3_reads,
            ("s3", _) => run.other += requests * of.s3_writes,
            ("scheduler", _) => run.other += requests * of.schedules,
            ("secretsmanager", _) => run.other += requests * of.secret_reads,
            _ => return Err(Failure::Usage(format!("the table has no price for {service} {operation}"))),
        }
        Ok(())
    }

    /// How long a function is billed for a run.
    fn seconds(&self, function: &str, run: &Spent) -> f64 {
        let memory = self.lambda.memory_mb.get(function).copied().unwrap_or(self.lambda.mb_per_cpu);
        let cpu_ms = run.cpu.functions.get(function).copied().unwrap_or_default();
        let working_ms = cpu_ms * (self.lambda.mb_per_cpu / memory).max(1.0);
        let asked = run.asked.iter().flatten().filter(|asked| asked.by == function && !is_waiting(asked));
        let waiting_ms = asked.map(|asked| {
            asked.requests * self.assumed_ms_per_request.get(&asked.service).copied().unwrap_or_default()
        });
        (working_ms + waiting_ms.sum::<f64>()) / 1000.0
    }

    /// What it costs that a function takes so long.
    fn time(&self, function: &str, seconds: f64) -> f64 {
        let memory = self.lambda.memory_mb.get(function).copied().unwrap_or_default();
        seconds * memory / 1024.0 * self.lambda.per_gb_second
    }
}

impl Price {
    /// The price of a run as that of each of its steps.
    fn shared_by(self, steps: f64) -> Self {
        let Self {
            dynamodb_writes, dynamodb_reads, sqs, lambda_requests, lambda_time, http_api, other, ..
        } = self;
        let total = dynamodb_writes + dynamodb_reads + sqs + lambda_requests + lambda_time + http_api + other;
        Self {
            dynamodb_writes: dynamodb_writes / steps,
            dynamodb_reads: dynamodb_reads / steps,
            sqs: sqs / steps,
            lambda_requests: lambda_requests / steps,
            lambda_time: lambda_time / steps,
            http_api: http_api / steps,
            other: other / steps,
            total: total / steps,
            ..self
        }
    }
}

fn is_read(operation: &str) -> bool {
    matches!(operation, "GetItem" | "BatchGetItem" | "TransactGetItems" | "Query" | "Scan")
}

/// Whether it was asked for a caller who waits.
fn is_waiting(asked: &Asked) -> bool {
    asked.by == STARTER && asked.service == "dynamodb" && is_read(&asked.operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{spent::Cpu, stats::Latency};

    fn prices() -> Prices {
        Prices::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/engine/prices.json")))
            .unwrap()
    }

    fn asked(by: &str, service: &str, operation: &str, requests: f64, units: f64) -> Asked {
        let [by, service, operation] = [by, service, operation].map(str::to_owned);
        Asked { by, service, operation, requests, units }
    }

    fn run_of_ten_steps(asked: Vec<Asked>, functions: &[(&str, f64)]) -> Measured {
        let functions = functions.iter().map(|(name, ms)| ((*name).to_owned(), *ms)).collect();
        let cpu = Cpu { functions, ..Cpu::default() };
        Measured {
            on: "test",
            workload: "test",
            clients: 1,
            runs: 1,
            steps_per_run: 10,
            effects_per_run: 0,
            seconds: 1.0,
            runs_per_second: 1.0,
            steps_per_second: 10.0,
            latency: Latency { p50_ms: 1.0, p95_ms: 1.0, p99_ms: 1.0, max_ms: 1.0 },
            per_run: Spent { cpu, asked: Some(asked), ..Spent::default() },
        }
    }

    fn assert_near(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-9, "{left} is not {right}");
    }

    #[test]
    fn each_request_costs_what_the_table_says_and_a_step_its_share() {
        let row = run_of_ten_steps(
            vec![
                asked("client", "apigateway", "Request", 1.0, 0.0),
                asked("runs", "dynamodb", "PutItem", 2.0, 8.0),
                asked("runs", "sqs", "SendMessageBatch", 1.0, 1.0),
                asked("runs", "lambda", "Invoke", 1.0, 0.0),
                asked("node-executor", "lambda", "Invoke", 1.0, 0.0),
                asked("node-executor", "dynamodb", "Query", 1.0, 4.0),
                asked("node-executor", "s3", "PUT", 1.0, 0.0),
            ],
            &[],
        );
        let price = prices().of(&row).unwrap();
        assert_near(price.http_api, 0.1);
        assert_near(price.dynamodb_writes, 8.0 * 0.625 / 10.0);
        assert_near(price.dynamodb_reads, 4.0 * 0.125 / 10.0);
        // One request to send, and one each to receive and to delete.
        assert_near(price.sqs, 3.0 * 0.5 / 10.0);
        assert_near(price.lambda_requests, 2.0 * 0.2 / 10.0);
        assert_near(price.other, 0.5);
        let parts = [price.dynamodb_writes, price.dynamodb_reads, price.sqs, price.lambda_requests];
        let rest = price.lambda_time + price.http_api + price.other;
        assert_near(price.total, parts.iter().sum::<f64>() + rest);
    }

    #[test]
    fn what_a_waiting_caller_reads_is_not_the_runs() {
        let row = run_of_ten_steps(vec![asked("runs", "dynamodb", "GetItem", 40.0, 80.0)], &[]);
        assert_near(prices().of(&row).unwrap().total, 0.0);
    }

    #[test]
    fn time_is_cpu_on_the_share_that_memory_buys_and_waiting_for_requests() {
        let row = run_of_ten_steps(
            vec![asked("node-executor", "dynamodb", "UpdateItem", 3.0, 0.0)],
            &[("node-executor", 2.0)],
        );
        // 2 ms of a CPU at 1024 MB, and 3 requests of 5 ms, for one GB, a million times, shared by ten.
        let seconds = (2.0 * 1769.0 / 1024.0 + 15.0) / 1000.0;
        assert_near(prices().of(&row).unwrap().lambda_time, seconds * 0.000_013_333_4 * 1e6 / 10.0);
        assert_near(prices().per_second_waited(), 13.3334);
    }

    #[test]
    fn what_the_table_does_not_know_is_an_error_and_never_free() {
        let row = run_of_ten_steps(vec![asked("runs", "kinesis", "PutRecord", 1.0, 1.0)], &[]);
        assert!(matches!(prices().of(&row), Err(Failure::Usage(_))));
    }

    #[test]
    fn every_price_names_its_page() {
        let prices = prices();
        assert_near(prices.goal(), 2.5);
        assert!(prices.sources.values().all(|url| url.starts_with("https://aws.amazon.com/")));
    }
}
