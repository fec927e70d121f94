//! The settings of teams that Heddle reads. Others are the team's own.

use app::ports::{MOST_RUNNING, MOST_STEPS};
use domain::FieldError;
use serde_json::{Map, Value};

/// The most bytes of all settings together.
const MOST_BYTES: usize = 16 * 1024;

/// What is a whole number from 1 on, and up to what.
const NUMBERS: [(&str, u64); 3] = [
    ("max_running_runs", MOST_RUNNING as u64),
    ("max_running_steps", MOST_STEPS as u64),
    ("retention_days", u16::MAX as u64),
];

/// Every mistake. A setting that is null is as good as absent.
pub(super) fn check(settings: &Map<String, Value>, mistakes: &mut Vec<FieldError>) {
    for (name, most) in NUMBERS {
        let value = settings.get(name).filter(|value| !value.is_null());
        if value.is_some_and(|value| !value.as_u64().is_some_and(|number| (1..=most).contains(&number))) {
            mistakes.push(FieldError::new(
                format!("/settings/{name}"),
                "out_of_range",
                format!("A whole number from 1 to {most}, or null for none."),
            ));
        }
    }
    if serde_json::to_string(settings).map_or(usize::MAX, |text| text.len()) > MOST_BYTES {
        mistakes.push(FieldError::new(
            "/settings",
            "too_large",
            format!("At most {MOST_BYTES} bytes of JSON."),
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(settings: &Value) -> Vec<String> {
        let mut mistakes = Vec::new();
        check(settings.as_object().unwrap(), &mut mistakes);
        mistakes.into_iter().map(|mistake| mistake.pointer).collect()
    }

    #[test]
    fn what_is_known_is_checked_and_the_rest_left_alone() {
        let good = json!({"max_running_runs": 1000, "max_running_steps": null, "retention_days": 65_535, "color": [1]});
        assert_eq!(wrong(&good), [""; 0]);
        for odd in [json!(0), json!(-1), json!(1.5), json!("7"), json!(65_536), json!([7]), json!(true)] {
            let all = json!({"max_running_runs": odd, "max_running_steps": odd, "retention_days": odd});
            assert_eq!(
                wrong(&all),
                ["/settings/max_running_runs", "/settings/max_running_steps", "/settings/retention_days"],
                "{odd}"
            );
        }
        assert_eq!(wrong(&json!({"x": "y".repeat(MOST_BYTES)})), ["/settings"]);
    }
}
