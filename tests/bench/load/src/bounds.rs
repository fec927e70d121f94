//! What has to hold: for one process on two cores with an fsync at every commit (issue C), and for the engine itself and what it
//! asks of its store (engine.md, Cost and speed to reach).

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    drive::Measured,
    workloads::{CHAIN, CHAIN_HTTP, FAN_HTTP},
};

/// Which bounds, by what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Set {
    /// One process over Postgres.
    Standalone,
    /// Heddle's own loop in memory.
    Memory,
    /// Functions on the emulated AWS.
    Stack,
}

/// One bound and what was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Bound {
    /// What it bounds, as a person says it.
    pub(crate) what: String,
    pub(crate) limit: Limit,
    pub(crate) unit: &'static str,
    /// None where it was not measured, which does not meet the bound.
    pub(crate) measured: Option<f64>,
    /// Whether it has to hold. What need not is a goal, which is told and not enforced.
    pub(crate) must_hold: bool,
}

/// On which side a number has to stay.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Limit {
    Below(f64),
    Above(f64),
    AtMost(f64),
}

impl Bound {
    /// Every bound of a set.
    pub(crate) fn all(set: Set, measured: &[Measured]) -> Vec<Self> {
        match set {
            Set::Standalone => standalone(measured),
            Set::Memory => memory(measured),
            Set::Stack => stack(measured),
        }
    }

    /// Whether it has to hold and does not.
    pub(crate) fn is_broken(&self) -> bool {
        self.must_hold && !self.is_met()
    }

    /// Whether it was measured and holds.
    pub(crate) fn is_met(&self) -> bool {
        self.measured.is_some_and(|measured| match self.limit {
            Limit::Below(limit) => measured < limit,
            Limit::Above(limit) => measured > limit,
            Limit::AtMost(limit) => measured <= limit,
        })
    }
}

fn of<'a>(measured: &'a [Measured], workload: &str, clients: u16) -> Option<&'a Measured> {
    measured.iter().find(|row| row.workload == workload && row.clients == clients)
}

fn standalone(measured: &[Measured]) -> Vec<Bound> {
    let p50 = |workload: &str, limit_ms: f64| Bound {
        what: format!("{workload}, p50 at 1 client"),
        limit: Limit::Below(limit_ms),
        unit: "ms",
        measured: of(measured, workload, 1).map(|row| row.latency.p50_ms),
        must_hold: true,
    };
    let cpu = |clients: u16| Bound {
        what: format!("{CHAIN}, CPU of Heddle and Postgres per run at {clients} client(s)"),
        limit: Limit::Below(2.0),
        unit: "ms",
        measured: of(measured, CHAIN, clients)
            .and_then(|row| Some(row.per_run.cpu.heddle? + row.per_run.cpu.postgres?)),
        must_hold: true,
    };
    let throughput = Bound {
        what: format!("{CHAIN}, throughput at 16 clients"),
        limit: Limit::Above(800.0),
        unit: "runs/s",
        measured: of(measured, CHAIN, 16).map(|row| row.runs_per_second),
        must_hold: true,
    };
    vec![p50(CHAIN, 6.0), throughput, p50(CHAIN_HTTP, 25.0), cpu(1), cpu(16)]
}

fn memory(measured: &[Measured]) -> Vec<Bound> {
    let cpu = |clients: u16| Bound {
        what: format!("{CHAIN_HTTP}, own CPU per effect at {clients} client(s)"),
        limit: Limit::Below(0.5),
        unit: "ms",
        measured: of(measured, CHAIN_HTTP, clients)
            .and_then(|row| Some(row.per_run.cpu.heddle? / f64::from(row.effects_per_run))),
        must_hold: true,
    };
    let mut bounds = vec![cpu(1), cpu(16)];
    bounds.extend(requests(measured, ("store", "commit", "queue", "send")));
    bounds.push(Bound {
        what: format!("{CHAIN_HTTP}, step records per run"),
        limit: Limit::AtMost(11.0),
        unit: "(10 effects and the return)",
        measured: of(measured, CHAIN_HTTP, 1).and_then(|row| row.per_run.requests("store", "record")),
        must_hold: true,
    });
    bounds
}

fn stack(measured: &[Measured]) -> Vec<Bound> {
    requests(measured, ("dynamodb", "UpdateItem", "sqs", "SendMessageBatch"))
}

/// What workloads may ask of their store and their queue: ten data steps in a row are one commit and one message, n effects in a row
/// n + 1 commits. Beside each other they would be as many at best; workers that claim and settle at once need more.
fn requests(measured: &[Measured], asked: (&str, &str, &str, &str)) -> Vec<Bound> {
    let (store, commit, queue, send) = asked;
    let bound = |workload: &str, service: &str, operation: &str, limit: f64| Bound {
        what: format!("{workload}, {service} {operation} per run at 1 client"),
        limit: Limit::AtMost(limit),
        unit: "request(s)",
        measured: of(measured, workload, 1).and_then(|row| row.per_run.requests(service, operation)),
        must_hold: true,
    };
    vec![
        bound(CHAIN, store, commit, 1.0),
        bound(CHAIN, queue, send, 1.0),
        bound(CHAIN_HTTP, store, commit, 11.0),
        bound(CHAIN_HTTP, queue, send, 1.0),
        Bound { must_hold: false, ..bound(FAN_HTTP, store, commit, 22.0) },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        spent::{Cpu, Spent, counted},
        stats::Latency,
    };

    fn measured(workload: &'static str, clients: u16, p50_ms: f64, runs_per_second: f64) -> Measured {
        let cpu = Cpu { heddle: Some(0.6), postgres: Some(0.5), driver: 0.1, ..Cpu::default() };
        Measured {
            on: "test",
            workload,
            clients,
            runs: 1000,
            steps_per_run: 11,
            effects_per_run: 10,
            seconds: 1.0,
            runs_per_second,
            steps_per_second: runs_per_second * 11.0,
            latency: Latency { p50_ms, p95_ms: p50_ms, p99_ms: p50_ms, max_ms: p50_ms },
            per_run: Spent { cpu, ..Spent::default() },
        }
    }

    fn broken(set: Set, rows: &[Measured]) -> Vec<String> {
        let bounds = Bound::all(set, rows).into_iter();
        bounds.filter(Bound::is_broken).map(|bound| bound.what).collect()
    }

    fn in_memory(commits: u64, records: u64) -> Vec<Measured> {
        let row = |workload, clients, commits, records| {
            let mut row = measured(workload, clients, 1.0, 1000.0);
            let mut asked = counted("store", [("commit", commits, 0), ("record", records, 0)]);
            asked.extend(counted("queue", [("send", 1, 1)]));
            row.per_run.asked = Some(asked);
            row
        };
        vec![
            row(CHAIN, 1, 1, 11),
            row(CHAIN_HTTP, 1, commits, records),
            row(CHAIN_HTTP, 16, commits, records),
        ]
    }

    #[test]
    fn good_numbers_meet_every_bound() {
        let rows = [
            measured(CHAIN, 1, 3.0, 300.0),
            measured(CHAIN, 16, 12.0, 1200.0),
            measured(CHAIN_HTTP, 1, 20.0, 50.0),
        ];
        assert!(broken(Set::Standalone, &rows).is_empty());
        assert!(broken(Set::Memory, &in_memory(11, 11)).is_empty());
    }

    #[test]
    fn each_bad_number_breaks_its_own_bound_only() {
        let rows = [
            measured(CHAIN, 1, 6.0, 300.0),
            measured(CHAIN, 16, 12.0, 1200.0),
            measured(CHAIN_HTTP, 1, 20.0, 50.0),
        ];
        assert_eq!(broken(Set::Standalone, &rows), ["chain-10, p50 at 1 client"]);
        let broken_by = |commits, records| broken(Set::Memory, &in_memory(commits, records));
        assert_eq!(broken_by(12, 11), ["chain-10-http, store commit per run at 1 client"]);
        assert_eq!(broken_by(11, 12), ["chain-10-http, step records per run"]);
        let mut slow = in_memory(11, 11);
        slow[2].per_run.cpu.heddle = Some(5.0);
        assert_eq!(broken(Set::Memory, &slow), ["chain-10-http, own CPU per effect at 16 client(s)"]);
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        for set in [Set::Standalone, Set::Memory, Set::Stack] {
            let bounds = Bound::all(set, &[]);
            assert!(!bounds.iter().any(Bound::is_met) && bounds.iter().any(Bound::is_broken));
        }
        let mut without_pids = measured(CHAIN, 1, 3.0, 300.0);
        without_pids.per_run.cpu.postgres = None;
        let bounds = Bound::all(Set::Standalone, &[without_pids]);
        let cpu = bounds.iter().find(|bound| bound.what.contains("CPU")).unwrap();
        assert!(!cpu.is_met() && cpu.measured.is_none());
    }
}
