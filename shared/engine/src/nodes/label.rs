//! Labels: how a node tells its edges apart, and the metadata that names them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::field::{Problem, expression};
use crate::{expr::Expr, pointer::join};

/// The label of the edge that a failure takes; no type may use it for anything else.
pub const ERROR: &str = "error";

/// Which labels the out-edges of a node may carry, apart from [`ERROR`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Labels {
    /// None: every edge is live when the node succeeds.
    #[default]
    None,
    /// The node chooses one of these. Every edge carries one, and only the edges with the chosen one are
    /// live.
    Choice(Vec<String>),
    /// The node's output has a part for each of these. Every edge is live; one with a label hands on its
    /// part, one without the whole output.
    Parts(Vec<String>),
}

/// Reads a list of `{label, when}`.
pub(super) fn cases(value: &Value) -> Result<Vec<(String, Expr)>, Vec<Problem>> {
    let Some(cases) = value.as_array().filter(|cases| !cases.is_empty()) else {
        return Err(vec![Problem::new(
            "",
            "wrong_type",
            "must be a list of {label, when} that is not empty",
        )]);
    };
    let mut reader = Reader::default();
    for (i, case) in cases.iter().enumerate() {
        let pointer = join("", i);
        match (case.as_object(), case.get("label").and_then(Value::as_str), case.get("when")) {
            (Some(object), Some(label), Some(when)) if object.len() == 2 => {
                reader.read(label, &join(&pointer, "label"), when, &join(&pointer, "when"));
            }
            _ => reader.problems.push(Problem::new(
                pointer,
                "wrong_type",
                "must have a `label` and a `when`, and nothing else",
            )),
        }
    }
    reader.finish()
}

/// Reads an object of expressions by label.
pub(super) fn parts(value: &Value) -> Result<Vec<(String, Expr)>, Vec<Problem>> {
    let Some(parts) = value.as_object().filter(|parts| !parts.is_empty()) else {
        return Err(vec![Problem::new(
            "",
            "wrong_type",
            "must be an object of expressions by label that is not empty",
        )]);
    };
    let mut reader = Reader::default();
    for (label, part) in parts {
        let pointer = join("", label);
        reader.read(label, &pointer, part, &pointer);
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    seen: BTreeSet<String>,
    choices: Vec<(String, Expr)>,
    problems: Vec<Problem>,
}

impl Reader {
    fn read(&mut self, label: &str, label_pointer: &str, value: &Value, value_pointer: &str) {
        self.problems.extend(problem_of(label, label_pointer));
        if !self.seen.insert(label.to_owned()) {
            self.problems.push(Problem::new(
                label_pointer,
                "duplicate_label",
                format!("there is another `{label}`"),
            ));
        }
        match expression(value_pointer, value) {
            Ok(expr) => self.choices.push((label.to_owned(), expr)),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn finish(self) -> Result<Vec<(String, Expr)>, Vec<Problem>> {
        if self.problems.is_empty() { Ok(self.choices) } else { Err(self.problems) }
    }
}

/// What is wrong with a label: empty, too long, or taken.
pub(super) fn problem_of(label: &str, pointer: &str) -> Option<Problem> {
    if label == ERROR {
        Some(Problem::new(pointer, "reserved_label", "`error` is the label of the edge that a failure takes"))
    } else if label.is_empty() || label.chars().count() > 63 {
        Some(Problem::new(pointer, "wrong_label", "a label has 1 to 63 characters"))
    } else {
        None
    }
}
