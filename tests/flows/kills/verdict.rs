//! Whether every run ended once, with the right result, and every effect under one key.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::TimeDelta;
use domain::Timestamp;
use serde_json::Value;

use super::workload::{self, Kind};
use crate::support::target::Received;

/// The most requests of one effect: the first and three retries, and what was lost with up to two workers, which costs no retry.
const MOST_REQUESTS: usize = 1 + 3 + 2;

/// So many workers that are lost with one node, or with one message, end a run as crashed.
const MOST_LOST: usize = 3;

/// How long the claim of an effect holds: its timeout and the grace after it. A worker that lives has committed by then.
const LEASE: TimeDelta = TimeDelta::seconds(2 + 5);

/// What a client was told first about its run.
#[derive(Debug, Clone)]
pub struct Told {
    pub run_id: String,
    /// The whole answer, if it said that the run had ended.
    pub ended: Option<Value>,
}

impl Told {
    /// How many attempts of the run's steps ended because their worker was lost, as far as it was told.
    pub fn lost_attempts(&self) -> usize {
        let steps = self.ended.iter().filter_map(|ended| ended["steps"].as_array()).flatten();
        let attempts = steps.filter_map(|step| step["attempts"].as_array()).flatten();
        attempts.filter(|attempt| attempt["error"]["class"] == "crashed").count()
    }
}

/// What was found wrong with runs of these kinds.
#[derive(Debug)]
pub struct Verdict {
    kinds: &'static [Kind],
    kills: Vec<Timestamp>,
    crashed: BTreeSet<usize>,
    wrong: Vec<String>,
}

impl Verdict {
    /// On runs of these kinds in turn.
    pub const fn on(kinds: &'static [Kind]) -> Self {
        Self { kinds, kills: Vec::new(), crashed: BTreeSet::new(), wrong: Vec::new() }
    }

    /// Where workers were killed one by one, at these times: a run may then lose so many that it rightly ends as crashed.
    pub fn after(self, kills: Vec<Timestamp>) -> Self {
        Self { kills, ..self }
    }

    /// The runs that rightly ended as crashed.
    pub const fn crashed(&self) -> &BTreeSet<usize> {
        &self.crashed
    }

    /// A run as it stands in the end, beside what was told of it before.
    pub fn check_run(&mut self, number: usize, told: &Told, detail: &Value) {
        let (kinds, kind) = (self.kinds, Kind::of(number, self.kinds));
        let has_crashed = self.has_crashed(kind, detail);
        if has_crashed {
            self.crashed.insert(number);
        }
        let mut wrong =
            |what: &str| self.wrong.push(format!("run {number} ({}): {what}: {detail:#}", told.run_id));
        if let Some(ended) = &told.ended {
            for name in ["status", "result", "finished_on"] {
                if ended[name] != detail[name] {
                    wrong(&format!("its {name} was {} when it had ended", ended[name]));
                }
            }
        }
        if has_crashed {
            return;
        }
        if detail["status"] != "succeeded" {
            return wrong("it did not succeed");
        }
        if detail["result"] != workload::result(number, kinds) {
            wrong("its result is wrong");
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

    /// Whether a run failed because its workers were killed too often, as far as the kills themselves bear it out: one for each
    /// lost attempt of the node that it failed with, while that attempt held its claim. Where a message was lost, or the node of a
    /// child or a chunk, the run shows no such attempts, and there have to be as many kills in its time.
    fn has_crashed(&self, kind: Kind, detail: &Value) -> bool {
        let killed = |from: Timestamp, to: Timestamp| {
            self.kills.iter().filter(|kill| (from..=to).contains(*kill)).count()
        };
        if detail["status"] != "failed" || detail["error"]["class"] != "crashed" {
            return false;
        }
        let (Some(created_on), Some(finished_on)) =
            (time(&detail["created_on"]), time(&detail["finished_on"]))
        else {
            return false;
        };
        if detail["error"]["node"].is_null() || matches!(kind, Kind::Child | Kind::Items) {
            return killed(created_on, finished_on) >= MOST_LOST;
        }
        let steps = detail["steps"].as_array().into_iter().flatten();
        let lost = steps.filter(|step| step["node"] == detail["error"]["node"]);
        let lost: Vec<_> = lost.filter_map(|step| step["attempts"].as_array()).flatten().collect();
        let lost = lost.into_iter().filter(|attempt| attempt["error"]["class"] == "crashed");
        let lost: Vec<_> = lost.filter_map(|attempt| time(&attempt["started_on"])).collect();
        lost.len() == MOST_LOST
            && lost.into_iter().all(|started_on| killed(started_on, started_on + LEASE) > 0)
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
        let effects_of =
            |number| workload::effects(number, self.kinds).into_iter().map(move |path| (number, path));
        let expected: Vec<_> = (0..runs).flat_map(effects_of).collect();
        let mut seen = BTreeSet::new();
        for (number, path) in &expected {
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
                None if self.crashed.contains(number) => {}
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

fn time(text: &Value) -> Option<Timestamp> {
    text.as_str()?.parse().ok()
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
    fn a_run_may_crash_by_three_kills_and_by_no_fewer() {
        let at = |s: i64| Timestamp::UNIX_EPOCH + TimeDelta::seconds(s);
        let lost = |s| json!({"started_on": at(s), "error": {"class": "crashed"}});
        let step = json!({"node": "left", "status": "failed", "attempts": [lost(0), lost(10), lost(40)]});
        let detail = json!({"status": "failed", "error": {"node": "left", "class": "crashed"},
            "created_on": at(0), "finished_on": at(50), "steps": [step]});
        let checked = |kills: &[i64], detail: &Value| {
            let mut verdict = Verdict::on(TWO_KINDS).after(kills.iter().copied().map(at).collect());
            verdict.check_run(1, &told(None), detail);
            verdict.check_effects(&calls(&[("/1/first", "a")]), 2);
            verdict.report()
        };
        assert_eq!(checked(&[1, 12, 41], &detail), Ok(()));
        assert!(checked(&[1, 12], &detail).is_err(), "an attempt was lost by nobody's doing");
        assert!(checked(&[1, 12, 49], &detail).is_err(), "after the claim of the attempt had ended");
        assert!(
            checked(&[1, 12, 41], &json!({"status": "failed", "error": {"class": "permanent"}})).is_err()
        );
        let mut of_message = detail.clone();
        of_message["error"]["node"] = Value::Null;
        assert_eq!(checked(&[1, 2, 3], &of_message), Ok(()));
        assert!(checked(&[1, 2, 51], &of_message).is_err(), "one came after its end");
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
