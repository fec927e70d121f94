//! What was measured, for people and for programs.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use crate::{
    bounds::{Bound, Limit},
    drive::Measured,
    machine::Machine,
    options::Settings,
};

/// Everything, for the JSON file.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) machine: Machine,
    pub(crate) facts: BTreeMap<String, String>,
    pub(crate) settings: Settings,
    pub(crate) measured: &'a [Measured],
    pub(crate) bounds: &'a [Bound],
}

impl Report<'_> {
    /// Its text, with a newline at the end.
    pub(crate) fn to_json(&self) -> String {
        // Nothing in it can fail to be JSON: texts, numbers and maps with texts for keys.
        serde_json::to_string_pretty(self).expect("a report is JSON") + "\n"
    }
}

/// One line for each measurement.
pub(crate) fn table(measured: &[Measured]) -> String {
    let mut text = format!(
        "{:<14}{:>8}{:>8}{:>9}{:>9}{:>9}{:>9}{:>9}   CPU ms/run:{:>8}{:>10}{:>8}\n",
        "workload",
        "clients",
        "runs",
        "runs/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "heddle",
        "postgres",
        "driver"
    );
    for row in measured {
        let (latency, cpu) = (&row.latency, &row.cpu_ms_per_run);
        let _ = writeln!(
            text,
            "{:<14}{:>8}{:>8}{:>9.1}{:>9.2}{:>9.2}{:>9.2}{:>9.2}   {:>19}{:>10}{:>8.2}",
            row.workload,
            row.clients,
            row.runs,
            row.runs_per_second,
            latency.p50_ms,
            latency.p95_ms,
            latency.p99_ms,
            latency.max_ms,
            or_dash(cpu.heddle),
            or_dash(cpu.postgres),
            cpu.driver,
        );
    }
    text
}

/// One line for each bound: met or not.
pub(crate) fn verdict(bounds: &[Bound]) -> String {
    let mut text = String::from(if bounds.is_empty() { "" } else { "\n" });
    for bound in bounds {
        let (side, limit) = match bound.limit {
            Limit::Below(limit) => ("under", limit),
            Limit::Above(limit) => ("over", limit),
        };
        let verdict = if bound.is_met() { "met" } else { "NOT met" };
        let Bound { what, unit, .. } = bound;
        let _ = writeln!(
            text,
            "{verdict:<9}{what}: {} {unit}, has to be {side} {limit}",
            or_dash(bound.measured)
        );
    }
    text
}

fn or_dash(number: Option<f64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| format!("{number:.2}"))
}
