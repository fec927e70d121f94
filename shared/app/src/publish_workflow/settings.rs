//! What a draft's settings say of its runs, and what its plan may not exceed.

use domain::RunSettings;
use engine::{MAX_STEPS, Severity, Violation, forecast::Limits};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The longest that a run may be told to take, in seconds: a year.
const MAX_TIMEOUT_S: u32 = 31_536_000;

/// The widest that a node may be allowed to be.
const MAX_FAN_OUT: u32 = 100_000_000;

/// Reads the settings of runs, with every mistake; what else stands there is not looked at.
pub(crate) fn read(settings: &Map<String, Value>) -> (RunSettings, Limits, Vec<Violation>) {
    let mut reader = Reader { settings, violations: Vec::new() };
    let read = RunSettings {
        on_failure: reader
            .field("on_failure", "must be `fail_fast` or `finish_branches`")
            .unwrap_or_default(),
        timeout_s: reader.number("timeout_s", MAX_TIMEOUT_S),
        max_steps: reader.number("max_steps", MAX_STEPS),
        error_workflow_id: reader.field("error_workflow_id", "must be the UUID of a workflow"),
    };
    let limits = Limits {
        max_steps: read.max_steps.map(u64::from),
        max_fan_out: reader.number("max_fan_out", MAX_FAN_OUT).map(u64::from),
        max_price_usd: reader.price("max_price_usd"),
    };
    (read, limits, reader.violations)
}

struct Reader<'a> {
    settings: &'a Map<String, Value>,
    violations: Vec<Violation>,
}

impl Reader<'_> {
    fn field<T: DeserializeOwned>(&mut self, name: &str, rule: &str) -> Option<T> {
        let value = self.settings.get(name).filter(|value| !value.is_null())?;
        let read = serde_json::from_value(value.clone());
        if read.is_err() {
            self.refuse(name, "wrong_value", rule.to_owned());
        }
        read.ok()
    }

    fn number(&mut self, name: &str, most: u32) -> Option<u32> {
        let rule = format!("must be a whole number from 1 to {most}");
        let number = self.field(name, &rule)?;
        if (1..=most).contains(&number) {
            return Some(number);
        }
        self.refuse(name, "out_of_range", rule);
        None
    }

    fn price(&mut self, name: &str) -> Option<f64> {
        let rule = "must be a number of US dollars, 0 or more";
        let price: f64 = self.field(name, rule)?;
        if price >= 0.0 {
            return Some(price);
        }
        self.refuse(name, "out_of_range", rule.to_owned());
        None
    }

    fn refuse(&mut self, name: &str, code: &str, message: String) {
        self.violations.push(Violation {
            severity: Severity::Error,
            node: None,
            pointer: format!("/settings/{name}"),
            code: code.to_owned(),
            message,
            offset: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use domain::OnFailure;
    use serde_json::json;

    use super::*;

    fn read_json(settings: &Value) -> (RunSettings, Vec<String>) {
        let (settings, _, violations) = read(settings.as_object().unwrap());
        (settings, violations.into_iter().map(|wrong| format!("{} {}", wrong.pointer, wrong.code)).collect())
    }

    #[test]
    fn what_is_absent_or_null_is_the_default() {
        let read = read_json(&json!({"timeout_s": null, "color": "red"}));
        assert_eq!(read, (RunSettings::default(), vec![]));
    }

    #[test]
    fn settings_are_read() {
        let given = json!({"on_failure": "finish_branches", "timeout_s": 60, "max_steps": 10});
        let (settings, wrong) = read_json(&given);
        assert_eq!((settings.on_failure, settings.timeout_s), (OnFailure::FinishBranches, Some(60)));
        assert_eq!((settings.max_steps, wrong), (Some(10), vec![]));
    }

    #[test]
    fn limits_of_the_plan_are_read() {
        let given = json!({"max_steps": 10, "max_fan_out": 50, "max_price_usd": 0.5});
        let (_, limits, wrong) = read(given.as_object().unwrap());
        let expected = Limits { max_steps: Some(10), max_fan_out: Some(50), max_price_usd: Some(0.5) };
        assert_eq!((limits, wrong), (expected, vec![]));
        let (_, wrong) = read_json(&json!({"max_fan_out": 0, "max_price_usd": -1}));
        assert_eq!(wrong, ["/settings/max_fan_out out_of_range", "/settings/max_price_usd out_of_range"]);
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let given =
            json!({"on_failure": "shrug", "timeout_s": 0, "max_steps": "many", "error_workflow_id": "x"});
        let (_, wrong) = read_json(&given);
        let expected = [
            "/settings/on_failure wrong_value",
            "/settings/timeout_s out_of_range",
            "/settings/max_steps wrong_value",
            "/settings/error_workflow_id wrong_value",
        ];
        assert_eq!(wrong, expected);
    }
}
