//! CloudWatch metrics as log lines (embedded metric format): one document per request or message, which is its access log
//! line too. Dimensions have few values; ids are fields of the line, never dimensions.

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use domain::RunStatus;
use serde_json::{Map, Value, json};

static NAMESPACE: OnceLock<String> = OnceLock::new();

/// What happened within one request or message, beside itself. Step types and error classes are part of the metric's name,
/// since a document has one value per dimension but may settle steps of several types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// A run was accepted: `runs.started`.
    pub fn run_started(&mut self) {
        self.add("runs.started".to_owned(), 1);
    }

    /// A run ended: `runs.succeeded`, `runs.failed`, `runs.cancelled`.
    pub fn run_ended(&mut self, status: RunStatus) {
        self.add(format!("runs.{}", status.as_str()), 1);
    }

    /// Attempts of steps ended: `steps.get_api.succeeded`. `node_type` must be one of the engine's types, `outcome` one of its
    /// words.
    pub fn steps(&mut self, node_type: &str, outcome: &str, count: u32) {
        self.add(format!("steps.{node_type}.{outcome}"), u64::from(count));
    }

    /// An error was met: `errors.store`, `errors.unavailable`.
    pub fn error(&mut self, class: &str) {
        self.add(format!("errors.{class}"), 1);
    }

    fn add(&mut self, name: String, count: u64) {
        *self.0.entry(name).or_default() += count;
    }
}

/// Writes the line of a request: `requests` and `latency_ms` by route and status class, and the counts.
pub fn request(method: &str, route: &str, status: u16, took: Duration, counts: &Counts) {
    let class = format!("{}xx", status / 100);
    let properties = [
        ("method", json!(method)),
        ("route", json!(route)),
        ("status", json!(status)),
        ("status_class", json!(class)),
    ];
    let document = document("requests", &["function", "route", "status_class"], took, counts, properties);
    tracing::info!(target: TARGET, emf = document, "{method} {route} {status}");
}

/// Writes the line of a message: `messages` and `latency_ms` by outcome, and the counts.
pub fn message(outcome: &'static str, took: Duration, counts: &Counts) {
    let document =
        document("messages", &["function", "outcome"], took, counts, [("outcome", json!(outcome))]);
    tracing::info!(target: TARGET, emf = document, "message {outcome}");
}

/// The target of metric lines: written at every log level.
pub(crate) const TARGET: &str = "metrics";

pub(crate) fn set_namespace(namespace: String) {
    // The first one stays: a process boots once.
    let _ = NAMESPACE.set(namespace);
}

/// A document without `function`, which every log line has.
fn document<const N: usize>(
    subject: &str,
    dimensions: &[&str],
    took: Duration,
    counts: &Counts,
    properties: [(&str, Value); N],
) -> String {
    let namespace = NAMESPACE.get().map_or("Heddle", String::as_str);
    let mut sets = vec![json!({
        "Namespace": namespace,
        "Dimensions": [dimensions, ["function"]],
        "Metrics": [{"Name": subject, "Unit": "Count"}, {"Name": "latency_ms", "Unit": "Milliseconds"}],
    })];
    // The format takes at most 100 metrics in a set.
    let names: Vec<&String> = counts.0.keys().collect();
    sets.extend(names.chunks(100).map(|names| {
        let metrics: Vec<Value> = names.iter().map(|name| json!({"Name": name, "Unit": "Count"})).collect();
        json!({"Namespace": namespace, "Dimensions": [["function"]], "Metrics": metrics})
    }));
    let mut line = Map::new();
    line.extend(properties.map(|(name, value)| (name.to_owned(), value)));
    line.insert(subject.to_owned(), json!(1));
    line.insert("latency_ms".to_owned(), json!((took.as_secs_f64() * 100_000.0).round() / 100.0));
    line.extend(counts.0.iter().map(|(name, count)| (name.clone(), json!(count))));
    line.insert(
        "_aws".to_owned(),
        json!({"Timestamp": chrono::Utc::now().timestamp_millis(), "CloudWatchMetrics": sets}),
    );
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_and_dimension_of_a_document_has_a_value() {
        let mut counts = Counts::default();
        counts.run_started();
        counts.steps("get_api", "failed", 2);
        counts.error("store");
        counts.run_ended(RunStatus::Failed);
        let text = document(
            "messages",
            &["function", "outcome"],
            Duration::from_micros(1500),
            &counts,
            [("outcome", json!("done"))],
        );
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["latency_ms"], 1.5);
        assert_eq!(document["steps.get_api.failed"], 2);
        assert_eq!(document["errors.store"], 1);
        for set in document["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            for metric in set["Metrics"].as_array().unwrap() {
                assert!(document[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
            }
            for name in set["Dimensions"].as_array().unwrap().iter().flat_map(|d| d.as_array().unwrap()) {
                assert!(name == "function" || document[name.as_str().unwrap()].is_string(), "{name}");
            }
        }
    }
}
