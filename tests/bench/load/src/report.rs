//! What was measured, for people and for programs.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use crate::{
    bounds::{Bound, Limit},
    drive::Measured,
    machine::Machine,
    options::Settings,
    prices::{Price, Prices},
};

/// Everything, for the JSON file.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) machine: Machine,
    pub(crate) facts: BTreeMap<String, String>,
    pub(crate) settings: Settings,
    pub(crate) measured: &'a [Measured],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prices: Option<&'a Prices>,
    /// US dollars per million steps.
    #[serde(skip_serializing_if = "<[Price]>::is_empty")]
    pub(crate) price_per_million_steps: &'a [Price],
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
        "{:<16}{:<14}{:>8}{:>7}{:>9}{:>9}{:>9}{:>9}{:>9}   CPU ms/run:{:>8}{:>9}{:>9}{:>8}   {:>12}{:>9}\n",
        "on",
        "workload",
        "clients",
        "runs",
        "runs/s",
        "steps/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "heddle",
        "postgres",
        "emulator",
        "driver",
        "CPU ms/step",
        "peak MB",
    );
    for row in measured {
        let (latency, cpu) = (&row.latency, &row.per_run.cpu);
        let _ = writeln!(
            text,
            "{:<16}{:<14}{:>8}{:>7}{:>9.1}{:>9.0}{:>9.2}{:>9.2}{:>9.2}   {:>19}{:>9}{:>9}{:>8.2}   {:>12}{:>9}",
            row.on,
            row.workload,
            row.clients,
            row.runs,
            row.runs_per_second,
            row.steps_per_second,
            latency.p50_ms,
            latency.p95_ms,
            latency.p99_ms,
            or_dash(cpu.heddle, 2),
            or_dash(cpu.postgres, 2),
            or_dash(cpu.emulator, 2),
            cpu.driver,
            or_dash(row.cpu_ms_per_step(), 3),
            or_dash(row.per_run.peak_mb.values().copied().reduce(f64::max), 0),
        );
    }
    text
}

/// What runs asked for, where somebody counted: a line for each kind, a column for each workload with the fewest clients. The JSON has all.
pub(crate) fn requests(measured: &[Measured]) -> String {
    let mut systems: Vec<&str> = measured.iter().map(|row| row.on).collect();
    systems.dedup();
    systems.into_iter().map(|on| requests_on(on, measured)).collect()
}

fn requests_on(on: &str, measured: &[Measured]) -> String {
    let fewest = measured.iter().map(|row| row.clients).min();
    let rows: Vec<_> = measured.iter().filter(|row| row.on == on && Some(row.clients) == fewest).collect();
    let mut kinds = BTreeMap::<_, Vec<String>>::new();
    for (column, row) in rows.iter().enumerate() {
        for asked in row.per_run.asked.iter().flatten() {
            let kind = (&asked.by, &asked.service, &asked.operation);
            let line = kinds.entry(kind).or_insert_with(|| vec!["-".to_owned(); rows.len()]);
            line[column] = if asked.units > 0.0 {
                format!("{:.2} ({:.1})", asked.requests, asked.units)
            } else {
                format!("{:.2}", asked.requests)
            };
        }
    }
    if kinds.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{:<44}", format!("{on}: requests per run (units)"));
    for row in &rows {
        let _ = write!(text, "{:>18}", format!("{} ×{}", row.workload, row.clients));
    }
    for ((by, service, operation), line) in kinds {
        let _ = write!(text, "\n{:<44}", format!("{by}: {service} {operation}"));
        for cell in line {
            let _ = write!(text, "{cell:>18}");
        }
    }
    text + "\n"
}

/// What a million steps cost.
pub(crate) fn prices(table: &Prices, prices: &[Price]) -> String {
    let mut text = format!(
        "\n{:<24}{:>10}{:>10}{:>8}{:>10}{:>10}{:>10}{:>8}{:>9}   {} on {}, goal {:.2}\n",
        "USD per million steps",
        "writes",
        "reads",
        "sqs",
        "lambda",
        "its time",
        "http api",
        "other",
        "total",
        table.region,
        table.looked_up_on,
        table.goal(),
    );
    for price in prices {
        let verdict = if price.total <= table.goal() { "reached" } else { "NOT reached" };
        let _ = writeln!(
            text,
            "{:<24}{:>10.3}{:>10.3}{:>8.3}{:>10.3}{:>10.3}{:>10.3}{:>8.3}{:>9.2}   {verdict}",
            format!("{} ×{}", price.workload, price.clients),
            price.dynamodb_writes,
            price.dynamodb_reads,
            price.sqs,
            price.lambda_requests,
            price.lambda_time,
            price.http_api,
            price.other,
            price.total,
        );
    }
    let _ = writeln!(
        text,
        "Each 100 ms that a worker waits for an effect adds {:.2} to a million of them.",
        table.per_second_waited() / 10.0
    );
    text
}

/// One line for each bound: met or not.
pub(crate) fn verdict(bounds: &[Bound]) -> String {
    let mut text = String::from(if bounds.is_empty() { "" } else { "\n" });
    for bound in bounds {
        let (side, limit) = match bound.limit {
            Limit::Below(limit) => ("under", limit),
            Limit::Above(limit) => ("over", limit),
            Limit::AtMost(limit) => ("at most", limit),
        };
        let verdict = if bound.is_met() { "met" } else { "NOT met" };
        let Bound { what, unit, .. } = bound;
        let must = if bound.must_hold { "has to" } else { "goal: to" };
        let _ = writeln!(
            text,
            "{verdict:<9}{what}: {} {unit}, {must} be {side} {limit}",
            or_dash(bound.measured, 2)
        );
    }
    text
}

fn or_dash(number: Option<f64>, decimals: usize) -> String {
    number.map_or_else(|| "-".to_owned(), |number| format!("{number:.decimals$}"))
}
