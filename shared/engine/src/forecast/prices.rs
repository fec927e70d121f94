//! What a run asks of the cloud, by a dated table of list prices (`prices.json`, which the benchmarks read too).
//!
//! A step is a record, a message a send, a receipt and a deletion, a commit an update of the control item with its indexes. The least is a
//! run of small values in full batches. The most is one whose records are [`LARGE_UNITS`] KB each and whose messages come alone; values
//! that are larger than 256 KB cost more.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::{Amount, bounds::Price, cost::Cost};

/// Units of writing that a record takes at most, where its values are not very large.
const LARGE_UNITS: f64 = 4.0;

/// Units that the start of a run takes: the item, its indexes, its check and its inputs.
const START_UNITS: f64 = 5.0;

/// Units that the end of a run takes above a plain commit: its indexes change.
const END_UNITS: f64 = 4.0;

/// Messages that a worker receives and deletes at once, at best.
const BATCH: f64 = 10.0;

/// Nodes whose state fits one more unit of a control item.
const NODES_A_UNIT: f64 = 5.0;

#[derive(Debug, Deserialize)]
pub(super) struct Table {
    pub(super) looked_up_on: String,
    per_million: PerMillion,
    lambda: Lambda,
    assumed_ms_per_request: BTreeMap<String, f64>,
}

#[derive(Debug, Deserialize)]
struct PerMillion {
    dynamodb_write_units: f64,
    dynamodb_read_units: f64,
    sqs_requests: f64,
    sqs_fair_surcharge: f64,
    lambda_requests: f64,
    http_api_requests: f64,
}

#[derive(Debug, Deserialize)]
struct Lambda {
    per_gb_second: f64,
    memory_mb: BTreeMap<String, f64>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../prices.json"))
        .expect("the table of prices is part of the program")
});

/// The table.
pub(super) fn table() -> &'static Table {
    &TABLE
}

/// What a run with so many nodes costs.
pub(super) fn of(cost: &Cost, nodes: u64) -> Price {
    let runs = cost.children.plus(Amount::exactly(1));
    let least = |amount: Amount| float(amount.min);
    let low = Use {
        writes: (START_UNITS + END_UNITS) * least(runs) + least(cost.steps) + least(cost.commits),
        reads: least(runs),
        messages: least(cost.messages) * (1.0 + 2.0 / BATCH),
        invocations: least(runs) / BATCH,
        starts: 0.0,
        busy_ms: least(cost.commits) * table().ms("dynamodb"),
    };
    let high =
        [cost.steps, cost.commits, cost.messages, cost.busy_ms, runs].map(|amount| amount.max.map(float));
    let max = match high {
        [Some(steps), Some(commits), Some(messages), Some(busy_ms), Some(runs)] => {
            let commit_units = START_UNITS + END_UNITS + float(nodes) / NODES_A_UNIT;
            let requests = steps + 2.0 * commits + 2.0 * messages;
            Some(Use {
                writes: (START_UNITS + LARGE_UNITS) * runs + LARGE_UNITS * steps + commit_units * commits,
                reads: LARGE_UNITS * (commits + 2.0 * messages + steps),
                messages: 3.0 * messages,
                invocations: messages + runs,
                starts: 1.0,
                busy_ms: busy_ms + requests * 2.0 * table().ms("dynamodb") + messages * table().ms("sqs"),
            })
        }
        _ => None,
    };
    Price { min: low.price(), max: max.map(|high| high.price()) }
}

/// What is asked of the cloud.
struct Use {
    writes: f64,
    reads: f64,
    messages: f64,
    invocations: f64,
    /// Starts through the API.
    starts: f64,
    busy_ms: f64,
}

impl Use {
    fn price(&self) -> f64 {
        let Table { per_million: each, lambda, .. } = table();
        let requests = self.writes * each.dynamodb_write_units
            + self.reads * each.dynamodb_read_units
            + self.messages * (each.sqs_requests + each.sqs_fair_surcharge)
            + (self.invocations + self.starts) * each.lambda_requests
            + self.starts * each.http_api_requests;
        let memory_mb = lambda.memory_mb.get("node-executor").copied().unwrap_or_default();
        requests / 1e6 + self.busy_ms / 1000.0 * memory_mb / 1024.0 * lambda.per_gb_second
    }
}

impl Table {
    fn ms(&self, service: &str) -> f64 {
        self.assumed_ms_per_request.get(service).copied().unwrap_or_default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a bound so large need not be exact")]
const fn float(number: u64) -> f64 {
    number as f64
}
