//! Whether every run ended once, with the right result, and every effect under one key.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::workload::{self, Kind};
use crate::support::target::Received;

/// The most requests of one effect: the first and three retries, and what was lost with up to two workers, which costs no retry.
const MOST_REQUESTS: usize = 1 + 3 + 2;

/// What a client was told first about its run.
#[derive(Debug, Clone)]
pub struct Told {
    pub run_id: String,
    /// The whole answer, if it said that the run had ended.
    pub ended: Option<Value>,
}

/// What was found wrong with runs of these kinds.
#[derive(Debug)]
pub struct Verdict {
    kinds: &'static [Kind],
    wrong: Vec<String>,
}

impl Verdict {
    /// On runs of these kinds in turn.
    pub const fn on(kinds: &'static [Kind]) -> Self {
        Self { kinds, wrong: Vec::new() }
    }

    /// A run as it stands in the end, beside what was told of it before.
    pub fn check_run(&mut self, number: usize, told: &Told, detail: &Value) {
        let (kinds, kind) = (self.kinds, Kind::of(number, self.kinds));
        let mut wrong =
            |what: &str| self.wrong.push(format!("run {number} ({}): {what}: {detail:#}", told.run_id));
        if detail["status"] != "succeeded" {
            return wrong("it did not succeed");
        }
        if detail["result"] != workload::result(number, kinds) {
            wrong("its result is wrong");
        }
        if let Some(ended) = &told.ended {
            for name in ["status", "result", "finished_on"] {
                if ended[name] != detail[name] {
                    wrong(&format!("its {name} was {} when it had ended", ended[name]));
                }
            }
        }
        for step in detail["steps"].as_array().into_iter().flatten() {
            let attempts = step["attempts"].as_array().into_iter().flatten();
            let succeeded = attempts.filter(|attempt| attempt["error"].is_null()).count();
            let end = kind.end_of(step["node"].as_str().unwrap_or_default());
            if step["status"] != end || succeeded != usize::from(end == "succeeded") {
                wrong(&format!(
                    "step {} is {} and succeeded {succeeded} times",
                    step["node"], step["status"]
                ));
            }
        }
    }

    /// The answer to the same start once more.
    pub fn check_repeat(&mut self, number: usize, told: &Told, again: &Value) {
        if again["run_id"] != told.run_id.as_str() {
            self.wrong
                .push(format!("run {number}: the same key first gave {} and then {again:#}", told.run_id));
        }
    }

    /// All runs that there are, beside those that were told.
    pub fn check_list(&mut self, listed: &[String], told: &BTreeMap<usize, Told>) {
        let expected: BTreeSet<_> = told.values().map(|told| &told.run_id).collect();
        let unknown = listed.iter().filter(|run| !expected.contains(run)).count();
        if expected.len() != told.len() || listed.len() != told.len() || unknown > 0 {
            let (starts, runs, listed) = (told.len(), expected.len(), listed.len());
            self.wrong.push(format!(
                "{starts} starts gave {runs} runs, and {listed} are listed, {unknown} of them unknown"
            ));
        }
    }

    /// Every request that the effects' server got.
    pub fn check_effects(&mut self, received: &[Received], runs: usize) {
        let mut keys: HashMap<&str, BTreeMap<&str, usize>> = HashMap::new();
        for call in received {
            let key = call.idempotency_key.as_deref().unwrap_or_default();
            *keys.entry(&call.path).or_default().entry(key).or_default() += 1;
        }
        let expected: Vec<_> = (0..runs).flat_map(|number| workload::effects(number, self.kinds)).collect();
        let mut seen = BTreeSet::new();
        for path in &expected {
            match keys.remove(path.as_str()) {
                Some(one) if one.len() == 1 => {
                    let (key, requests) = one.into_iter().next().unwrap_or_default();
                    if requests > MOST_REQUESTS {
                        self.wrong.push(format!("effect {path}: {requests} requests"));
                    }
                    if key.is_empty() || !seen.insert(key) {
                        self.wrong
                            .push(format!("effect {path}: its key {key:?} is empty or another effect's"));
                    }
                }
                other => self.wrong.push(format!("effect {path}: keys and their requests: {other:?}")),
            }
        }
        self.wrong.extend(keys.into_keys().map(|path| format!("effect {path}: nobody asked for it")));
    }

    /// Something else that has to hold.
    pub fn require(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    /// Says in full what is wrong, of so many things at most, and in numbers what of the rest.
    pub fn report(&self) -> Result<(), String> {
        const SHOWN: usize = 10;
        match self.wrong.as_slice() {
            [] => Ok(()),
            wrong => Err(format!(
                "{} things are wrong, among them:\n{}",
                wrong.len(),
                wrong[..wrong.len().min(SHOWN)].join("\n")
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kills::workload::{ALL_KINDS, TWO_KINDS};

    fn told(ended: Option<Value>) -> Told {
        Told { run_id: "r".to_owned(), ended }
    }

    fn ended(number: usize) -> Value {
        let step = json!({"node": "a", "status": "succeeded", "attempts": [{"error": {"class": "crashed"}}, {"error": null}]});
        json!({"status": "succeeded", "result": workload::result(number, TWO_KINDS), "finished_on": "then", "steps": [step]})
    }

    fn calls(of: &[(&str, &str)]) -> Vec<Received> {
        let peer = ([127, 0, 0, 1], 1).into();
        let call = |(path, key): &(&str, &str)| Received {
            path: (*path).to_owned(),
            idempotency_key: Some((*key).to_owned()),
            peer,
        };
        of.iter().map(call).collect()
    }

    fn of_run(detail: &Value, told: &Told) -> Result<(), String> {
        let mut verdict = Verdict::on(TWO_KINDS);
        verdict.check_run(1, told, detail);
        verdict.report()
    }

    fn of_effects(of: &[(&str, &str)]) -> Result<(), String> {
        let mut verdict = Verdict::on(TWO_KINDS);
        verdict.check_effects(&calls(of), 2);
        verdict.report()
    }

    #[test]
    fn a_run_with_the_right_result_is_right_after_crashes_too() {
        assert_eq!(of_run(&ended(1), &told(None)), Ok(()));
        assert_eq!(of_run(&ended(1), &told(Some(ended(1)))), Ok(()));
    }

    #[test]
    fn a_run_with_another_status_result_or_end_is_wrong() {
        for (name, value) in [("status", "failed"), ("result", "nothing"), ("finished_on", "later")] {
            let mut detail = ended(1);
            detail[name] = json!(value);
            assert!(of_run(&detail, &told(Some(ended(1)))).is_err(), "{name}");
        }
    }

    #[test]
    fn a_step_that_succeeded_twice_or_never_is_wrong() {
        for attempts in [json!([{"error": null}, {"error": null}]), json!([])] {
            let mut detail = ended(1);
            detail["steps"][0]["attempts"] = attempts;
            assert!(of_run(&detail, &told(None)).is_err());
        }
    }

    #[test]
    fn a_step_that_has_to_fail_and_succeeds_is_wrong() {
        let rescue = ALL_KINDS.iter().position(|kind| *kind == Kind::Rescue).unwrap();
        let step = |node: &str, status: &str, attempts: Value| json!({"node": node, "status": status, "attempts": attempts});
        let checked = |refused: Value| {
            let steps = [
                refused,
                step("never", "skipped", json!([])),
                step("rescue", "succeeded", json!([{"error": null}])),
            ];
            let mut verdict = Verdict::on(ALL_KINDS);
            let detail =
                json!({"status": "succeeded", "result": workload::result(rescue, ALL_KINDS), "steps": steps});
            verdict.check_run(rescue, &told(None), &detail);
            verdict.report()
        };
        assert_eq!(checked(step("refused", "failed", json!([{"error": {"class": "permanent"}}]))), Ok(()));
        assert!(checked(step("refused", "succeeded", json!([{"error": null}]))).is_err());
    }

    #[test]
    fn what_else_has_to_hold_is_told_when_it_does_not() {
        let mut verdict = Verdict::on(TWO_KINDS);
        verdict.require(true, || "all is well".to_owned());
        assert_eq!(verdict.report(), Ok(()));
        verdict.require(false, || "two children".to_owned());
        assert!(verdict.report().is_err_and(|wrong| wrong.contains("two children")));
    }

    #[test]
    fn an_effect_may_be_repeated_under_its_key_and_under_no_other() {
        let once = [("/1/first", "a"), ("/1/left", "b"), ("/1/right", "c")];
        assert_eq!(of_effects(&once), Ok(()));
        let with = |more| of_effects(&[&once[..], &[more]].concat());
        assert_eq!(with(("/1/left", "b")), Ok(()));
        let often = [&once[..], &[("/1/left", "b"); MOST_REQUESTS]].concat();
        assert!(of_effects(&often).is_err(), "more attempts than there are");
        assert!(with(("/1/left", "d")).is_err(), "a second key");
        assert!(with(("/0/left", "d")).is_err(), "an effect that no run has");
        assert!(of_effects(&once[..2]).is_err(), "a missing effect");
        assert!(of_effects(&[once[0], once[1], ("/1/right", "b")]).is_err(), "a key of another effect");
        assert!(of_effects(&[once[0], once[1], ("/1/right", "")]).is_err(), "no key");
    }

    #[test]
    fn runs_that_nobody_started_and_starts_that_made_two_are_wrong() {
        let list = |listed: &[&str]| {
            let mut verdict = Verdict::on(TWO_KINDS);
            let listed: Vec<_> = listed.iter().map(|run| (*run).to_owned()).collect();
            verdict.check_list(&listed, &BTreeMap::from([(0, told(None))]));
            verdict.report()
        };
        assert_eq!(list(&["r"]), Ok(()));
        assert!(list(&["r", "ghost"]).is_err());
        assert!(list(&[]).is_err());
        let mut verdict = Verdict::on(TWO_KINDS);
        verdict.check_repeat(0, &told(None), &json!({"run_id": "another"}));
        assert!(verdict.report().is_err());
    }
}
