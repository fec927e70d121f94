//! Rules of approvals: each ends as people said, each of whom counts once.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use engine::StepRecord;
use serde_json::Value;

use super::{Rule, Violation};
use crate::{
    books::Book,
    graphs::{Ask, Timeout},
};

/// Every rule that the approvals of a run break.
pub fn check(book: &Book) -> Vec<Violation> {
    let mut found = Vec::new();
    for (key, shape) in book.task.nodes() {
        let Some(ask) = shape.does.as_ask() else { continue };
        let Some(record) = book.settling(&key).filter(|_| !book.kept.contains(&key)) else { continue };
        let said: Vec<_> = book.said.iter().filter(|said| said.node == key).collect();
        let is_true = match (&record.error, record.output.as_deref()) {
            (Some(failure), _) => {
                failure.code == "timeout"
                    && time_is_up(ask, record).is_some_and(|timeout| timeout.approves.is_none())
            }
            (None, Some(output)) => {
                let votes = votes_of(output);
                let was_said = |(by, approves): &(String, bool)| {
                    said.iter().any(|said| (&said.by, said.approves) == (by, *approves))
                };
                let counted = said.iter().filter(|said| said.counts);
                votes.iter().all(was_said)
                    && counted.copied().all(|said| votes.contains(&(said.by.clone(), said.approves)))
                    && is_decided(ask, record, output, &votes)
            }
            (None, None) => false,
        };
        if !is_true {
            let story = format!("{key} asked {ask:?}, people said {said:?}, and it came to {record:?}");
            found.push(Violation::new(Rule::DecisionsCount, story));
        }
    }
    found
}

fn votes_of(output: &Value) -> Vec<(String, bool)> {
    let votes = output["votes"].as_array().into_iter().flatten();
    votes
        .map(|vote| (vote["by"].as_str().unwrap_or_default().to_owned(), vote["decision"] == "approved"))
        .collect()
}

fn is_decided(ask: &Ask, record: &StepRecord, output: &Value, votes: &[(String, bool)]) -> bool {
    let people: BTreeSet<_> = votes.iter().map(|(by, _)| by).collect();
    let (approvals, rejections) =
        (votes.iter().filter(|vote| vote.1).count(), votes.iter().filter(|vote| !vote.1).count());
    let by_votes = match (rejections, approvals >= ask.quorum as usize) {
        (0, true) => Some(true),
        (0, false) => None,
        _ => Some(false),
    };
    let decided = by_votes.or_else(|| time_is_up(ask, record)?.approves);
    let approves = output["decision"] == "approved";
    let is_known = approves || output["decision"] == "rejected";
    people.len() == votes.len() && is_known && decided == Some(approves)
}

/// The timeout of an approval, if its time is over.
fn time_is_up(ask: &Ask, record: &StepRecord) -> Option<Timeout> {
    let is_up = |timeout: &Timeout| {
        record.finished_on - record.started_on >= TimeDelta::seconds(timeout.after_s.into())
    };
    ask.timeout.filter(is_up)
}
