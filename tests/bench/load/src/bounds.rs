//! What has to hold (issue C), on two cores with an fsync at every commit.

use serde::Serialize;

use crate::{
    drive::Measured,
    workloads::{CHAIN, CHAIN_HTTP},
};

/// One bound and what was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Bound {
    /// What it bounds, as a person says it.
    pub(crate) what: String,
    pub(crate) limit: Limit,
    pub(crate) unit: &'static str,
    /// None where it was not measured, which does not meet the bound.
    pub(crate) measured: Option<f64>,
}

/// On which side a number has to stay.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Limit {
    Below(f64),
    Above(f64),
}

impl Bound {
    /// Every bound.
    pub(crate) fn all(measured: &[Measured]) -> Vec<Self> {
        let of = |workload: &str, clients: u16| {
            measured.iter().find(|row| row.workload == workload && row.clients == clients)
        };
        let p50 = |workload: &str, limit_ms: f64| Self {
            what: format!("{workload}, p50 at 1 client"),
            limit: Limit::Below(limit_ms),
            unit: "ms",
            measured: of(workload, 1).map(|row| row.latency.p50_ms),
        };
        let cpu = |clients: u16| Self {
            what: format!("{CHAIN}, CPU of Heddle and Postgres per run at {clients} client(s)"),
            limit: Limit::Below(2.0),
            unit: "ms",
            measured: of(CHAIN, clients)
                .and_then(|row| Some(row.cpu_ms_per_run.heddle? + row.cpu_ms_per_run.postgres?)),
        };
        let throughput = Self {
            what: format!("{CHAIN}, throughput at 16 clients"),
            limit: Limit::Above(800.0),
            unit: "runs/s",
            measured: of(CHAIN, 16).map(|row| row.runs_per_second),
        };
        vec![p50(CHAIN, 6.0), throughput, p50(CHAIN_HTTP, 25.0), cpu(1), cpu(16)]
    }

    /// Whether it was measured and holds.
    pub(crate) fn is_met(&self) -> bool {
        self.measured.is_some_and(|measured| match self.limit {
            Limit::Below(limit) => measured < limit,
            Limit::Above(limit) => measured > limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{drive::CpuPerRun, stats::Latency};

    fn measured(workload: &'static str, clients: u16, p50_ms: f64, runs_per_second: f64) -> Measured {
        Measured {
            workload,
            clients,
            runs: 1000,
            seconds: 1.0,
            runs_per_second,
            latency: Latency { p50_ms, p95_ms: p50_ms, p99_ms: p50_ms, max_ms: p50_ms },
            cpu_ms_per_run: CpuPerRun { heddle: Some(0.6), postgres: Some(0.5), driver: 0.1 },
        }
    }

    #[test]
    fn good_numbers_meet_every_bound() {
        let rows = [
            measured(CHAIN, 1, 3.0, 300.0),
            measured(CHAIN, 16, 12.0, 1200.0),
            measured(CHAIN_HTTP, 1, 20.0, 50.0),
        ];
        assert!(Bound::all(&rows).iter().all(Bound::is_met));
    }

    #[test]
    fn each_bad_number_breaks_its_own_bound_only() {
        let rows = [
            measured(CHAIN, 1, 6.0, 300.0),
            measured(CHAIN, 16, 12.0, 1200.0),
            measured(CHAIN_HTTP, 1, 20.0, 50.0),
        ];
        let broken: Vec<_> =
            Bound::all(&rows).into_iter().filter(|bound| !bound.is_met()).map(|bound| bound.what).collect();
        assert_eq!(broken, ["chain-10, p50 at 1 client"]);
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(!Bound::all(&[]).iter().any(Bound::is_met));
        let mut without_pids = measured(CHAIN, 1, 3.0, 300.0);
        without_pids.cpu_ms_per_run.postgres = None;
        let bounds = Bound::all(&[without_pids]);
        let cpu = bounds.iter().find(|bound| bound.what.contains("CPU")).unwrap();
        assert!(!cpu.is_met() && cpu.measured.is_none());
    }
}
