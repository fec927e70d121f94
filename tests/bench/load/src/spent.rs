//! What runs need: CPU time, memory, and requests to whatever they stand on.

use std::{collections::BTreeMap, iter};

use serde::{Deserialize, Serialize};

/// What runs have needed so far; after [`Spent::per_run`], what one of them did.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Spent {
    pub(crate) cpu: Cpu,
    /// The most memory that a process of each name has had at once, in MB.
    pub(crate) peak_mb: BTreeMap<String, f64>,
    /// None where nobody counts.
    #[serde(rename = "requests")]
    pub(crate) asked: Option<Vec<Asked>>,
}

/// CPU time by who worked: seconds in all, milliseconds per run. None where no process was named.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Cpu {
    pub(crate) heddle: Option<f64>,
    pub(crate) postgres: Option<f64>,
    pub(crate) emulator: Option<f64>,
    /// The driver itself, its HTTP server included.
    pub(crate) driver: f64,
    /// What Heddle's is made up of where it is several functions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) functions: BTreeMap<String, f64>,
}

/// Requests of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Who asked: a function, or `heddle`.
    pub(crate) by: String,
    /// Whom, such as `dynamodb`.
    pub(crate) service: String,
    /// For what, such as `PutItem`.
    pub(crate) operation: String,
    pub(crate) requests: f64,
    /// What it is billed by, where that is not the request: read or write units, items, messages.
    pub(crate) units: f64,
}

impl Asked {
    fn is_like(&self, other: &Self) -> bool {
        (&self.by, &self.service, &self.operation) == (&other.by, &other.service, &other.operation)
    }
}

impl Spent {
    /// What each of so many runs needed that were everything between `before` and this.
    pub(crate) fn per_run(self, before: &Self, runs: f64) -> Self {
        let ms = |after: f64, before: f64| (after - before) * 1000.0 / runs;
        let of = |after: Option<f64>, before: Option<f64>| Some(ms(after?, before?));
        let (cpu, then) = (self.cpu, &before.cpu);
        let functions = cpu.functions.into_iter().map(|(name, seconds)| {
            let so_far = then.functions.get(&name).copied().unwrap_or_default();
            (name, ms(seconds, so_far))
        });
        Self {
            cpu: Cpu {
                heddle: of(cpu.heddle, then.heddle),
                postgres: of(cpu.postgres, then.postgres),
                emulator: of(cpu.emulator, then.emulator),
                driver: ms(cpu.driver, then.driver),
                functions: functions.collect(),
            },
            peak_mb: self.peak_mb,
            asked: self.asked.map(|asked| asked_per_run(asked, before.asked.as_deref(), runs)),
        }
    }

    /// How many requests there were to a service for an operation, by whoever asked; None where nobody counted.
    pub(crate) fn requests(&self, service: &str, operation: &str) -> Option<f64> {
        let is_it = |asked: &&Asked| asked.service == service && asked.operation == operation;
        Some(self.asked.as_ref()?.iter().filter(is_it).fold(0.0, |sum, asked| sum + asked.requests))
    }
}

fn asked_per_run(after: Vec<Asked>, before: Option<&[Asked]>, runs: f64) -> Vec<Asked> {
    let each = |asked: Asked| {
        let so_far = before.iter().flat_map(|before| before.iter()).find(|then| then.is_like(&asked));
        let (requests, units) = so_far.map_or((0.0, 0.0), |then| (then.requests, then.units));
        Asked { requests: (asked.requests - requests) / runs, units: (asked.units - units) / runs, ..asked }
    };
    after.into_iter().map(each).filter(|asked| asked.requests > 0.0).collect()
}

/// Requests that are counted in this process, in the form of those that a meter tells.
pub(crate) fn counted<const N: usize>(service: &str, counts: [(&str, u64, u64); N]) -> Vec<Asked> {
    #[allow(clippy::cast_precision_loss, reason = "no measurement asks 2^52 times")]
    let asked = |(operation, requests, units): (&str, u64, u64)| Asked {
        by: "heddle".to_owned(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        requests: requests as f64,
        units: units as f64,
    };
    counts.into_iter().map(asked).collect()
}

/// The larger of what two measurements saw of each process.
pub(crate) fn peak(seen: impl IntoIterator<Item = (String, f64)>) -> BTreeMap<String, f64> {
    let mut most = BTreeMap::new();
    for (name, mb) in seen {
        let entry = most.entry(name).or_insert(mb);
        *entry = entry.max(mb);
    }
    most
}

/// Nothing but a peak of one process.
pub(crate) fn peak_of(name: &str, mb: Option<f64>) -> BTreeMap<String, f64> {
    peak(iter::once((name.to_owned(), mb)).filter_map(|(name, mb)| Some((name, mb?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(by: &str, operation: &str, requests: f64, units: f64) -> Asked {
        let [by, service, operation] = [by, "dynamodb", operation].map(str::to_owned);
        Asked { by, service, operation, requests, units }
    }

    fn spent(heddle: f64, asked: Vec<Asked>) -> Spent {
        let functions = BTreeMap::from([("runs".to_owned(), heddle / 2.0)]);
        let cpu = Cpu { heddle: Some(heddle), driver: 1.0, functions, ..Cpu::default() };
        Spent { cpu, asked: Some(asked), ..Spent::default() }
    }

    #[test]
    fn a_run_needed_its_share_of_what_came_between() {
        let before = spent(1.0, vec![asked("runs", "PutItem", 10.0, 30.0)]);
        let after = spent(
            2.0,
            vec![
                asked("runs", "PutItem", 30.0, 90.0),
                asked("node-executor", "PutItem", 5.0, 5.0),
                asked("runs", "Query", 0.0, 0.0),
            ],
        );
        let each = after.per_run(&before, 10.0);
        assert_eq!(each.cpu.heddle, Some(100.0));
        assert_eq!(each.cpu.functions, BTreeMap::from([("runs".to_owned(), 50.0)]));
        assert_eq!((each.cpu.driver, each.cpu.postgres), (0.0, None));
        let expected = vec![asked("runs", "PutItem", 2.0, 6.0), asked("node-executor", "PutItem", 0.5, 0.5)];
        assert_eq!(each.asked, Some(expected));
        assert_eq!(each.requests("dynamodb", "PutItem"), Some(2.5));
        assert_eq!(each.requests("dynamodb", "Scan"), Some(0.0));
    }

    #[test]
    fn what_nobody_counted_is_not_nothing() {
        assert_eq!(Spent::default().requests("dynamodb", "PutItem"), None);
    }

    #[test]
    fn the_peak_is_the_largest_of_a_name() {
        let seen = [("runs".to_owned(), 20.0), ("runs".to_owned(), 30.0), ("runs".to_owned(), 25.0)];
        assert_eq!(peak(seen), BTreeMap::from([("runs".to_owned(), 30.0)]));
    }
}
