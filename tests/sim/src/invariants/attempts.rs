//! Rules of the attempts of one node, read off its records once its run has ended.

use domain::{ErrorClass, Failure};
use engine::{MAX_CRASHES, StepRecord};

use super::{
    Rule, Violation,
    calls::{Began, End},
};
use crate::{graphs::Call, reference::Answer};

/// What a node that makes calls came to in the end, None if it was not settled; and every rule that its attempts break. `records`
/// and `calls` are the node's, in the order of their attempts.
pub fn check(call: &Call, records: &[&StepRecord], calls: &[&Began]) -> (Option<Answer>, Vec<Violation>) {
    let mut node = Node { call, records, calls, found: Vec::new() };
    node.check_numbers();
    for record in records {
        node.check_record(record);
    }
    let answer = records.iter().find(|record| !record.retried).and_then(|record| node.settled(record));
    (answer, node.found)
}

struct Node<'a> {
    call: &'a Call,
    records: &'a [&'a StepRecord],
    calls: &'a [&'a Began],
    found: Vec<Violation>,
}

impl Node<'_> {
    fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.found.push(Violation::new(Rule::AttemptsAreTrue, what()));
        }
    }

    /// Attempts have the numbers 1, 2, …; only the last one may have settled the node.
    fn check_numbers(&mut self) {
        let records = self.records;
        let in_order = records.iter().zip(1..).all(|(record, number)| record.attempt == number);
        let one_end = records.iter().rev().skip(1).all(|record| record.retried);
        self.expect(in_order && one_end, || format!("attempts that were recorded: {records:#?}"));
    }

    /// What is recorded of an attempt is what its call came to.
    fn check_record(&mut self, record: &StepRecord) {
        let call = self.calls.iter().find(|call| call.attempt == record.attempt);
        let told = call.and_then(|call| call.end.clone()).map(|(_, end)| end);
        let is_true = match (&record.error, &told) {
            // Whatever the call came to, its worker did not live to tell.
            (Some(error), _) if error.class == ErrorClass::Crashed => true,
            (Some(error), Some(End::Dropped)) => {
                error.class == ErrorClass::Transient && error.code == "timeout"
            }
            (Some(error), Some(End::Answered(Err(failure)))) => error == failure,
            (Some(error), Some(End::Answered(Ok(_)))) => self.call.mismatches && is_invalid(error),
            (Some(error), None) => self.call.is_broken && is_invalid(error),
            (None, Some(End::Answered(Ok(value)))) => record.output.as_deref() == Some(value),
            (None, _) => false,
        };
        self.expect(is_true, || format!("{record:?} was recorded of a call that came to {told:?}"));
    }

    fn settled(&mut self, last: &StepRecord) -> Option<Answer> {
        let of_class = |class| {
            self.records.iter().filter(|r| r.error.as_ref().is_some_and(|e| e.class == class)).count()
        };
        let (transient, crashed) = (of_class(ErrorClass::Transient), of_class(ErrorClass::Crashed));
        let retries = self.call.max_retries() as usize;
        let in_bounds = transient <= retries + 1 && crashed <= MAX_CRASHES as usize;
        let is_last = match last.error.as_ref().map(|error| error.class) {
            Some(ErrorClass::Transient) => transient == retries + 1,
            Some(ErrorClass::Crashed) => crashed == MAX_CRASHES as usize,
            _ => true,
        };
        self.expect(in_bounds && is_last, || {
            format!("{transient} transient failures and {crashed} crashes: {last:?}")
        });
        let call = self.calls.iter().find(|call| call.attempt == last.attempt);
        Some(match (&last.error, call.and_then(|call| call.end.clone())) {
            // Whether an answer is acceptable, the reference finds out by itself.
            (Some(error), Some((_, End::Answered(Ok(value))))) if error.class == ErrorClass::Validation => {
                Answer::Output(value)
            }
            (Some(error), _) => Answer::Failure(error.clone()),
            (None, Some((_, End::Answered(Ok(value))))) => Answer::Output(value),
            (None, _) => return None,
        })
    }
}

fn is_invalid(error: &Failure) -> bool {
    error.class == ErrorClass::Validation
}
