//! What is wrong with a file, for people and for programs.

use std::iter;

use engine::{Severity, Violation};
use serde_json::{Value, json};

use crate::terminal::Stream;

/// The most characters of a field that are shown before and after a mistake in it.
const CONTEXT: usize = 60;

/// The violations of a file, with its text to point into.
pub(crate) struct Findings {
    violations: Vec<Violation>,
    /// Null where the text is no JSON.
    document: Value,
}

impl Findings {
    /// Violations whose pointers lead into `text`.
    pub(crate) fn new(text: &[u8], violations: Vec<Violation>) -> Self {
        Self { violations, document: serde_json::from_slice(text).unwrap_or_default() }
    }

    /// Whether any of them stands in the way; warnings don't.
    pub(crate) fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// As the API's validation answers them: `{valid, violations: [{severity, pointer, code, detail, node, offset}]}`.
    pub(crate) fn to_json(&self) -> Value {
        let violations = self.violations.iter().map(|found| {
            let Violation { severity, node, pointer, code, message, offset } = found;
            json!({
                "severity": severity, "pointer": pointer, "code": code, "detail": message, "node": node, "offset": offset,
            })
        });
        json!({"valid": !self.has_errors(), "violations": violations.collect::<Vec<_>>()})
    }

    /// `valid`, `2 errors, 1 warning`.
    pub(crate) fn summary(&self) -> String {
        let counts = [(Severity::Error, "error"), (Severity::Warning, "warning")].into_iter();
        let counts = counts.filter_map(|(severity, noun)| match self.count(severity) {
            0 => None,
            1 => Some(format!("1 {noun}")),
            many => Some(format!("{many} {noun}s")),
        });
        let verdict = if self.has_errors() { None } else { Some("valid".to_owned()) };
        verdict.into_iter().chain(counts).collect::<Vec<_>>().join(", ")
    }

    /// Prints each with its place and, for an expression, the spot in it.
    pub(crate) fn print(&self, stream: Stream) {
        for line in self.violations.iter().flat_map(|found| self.lines(found, stream)) {
            stream.line(&line);
        }
    }

    fn lines(&self, found: &Violation, stream: Stream) -> impl Iterator<Item = String> {
        let severity = match found.severity {
            Severity::Error => stream.bad("error"),
            Severity::Warning => stream.odd("warning"),
        };
        let place = [
            found.node.as_ref().map(|node| format!("node {node}")),
            Some(found.pointer.clone()).filter(|pointer| !pointer.is_empty()),
            found.offset.map(|offset| format!("character {offset}")),
        ];
        let place = place.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let place = Some(place).filter(|place| !place.is_empty());
        iter::once(format!("{severity}: {} {}", found.message, stream.faint(format!("[{}]", found.code))))
            .chain(place.map(|place| format!("  at {place}")))
            .chain(
                self.excerpt(found)
                    .into_iter()
                    .flatten()
                    .map(move |line| stream.faint(format!("  | {line}"))),
            )
    }

    /// The line of the field that the mistake is in, and a caret below its character.
    fn excerpt(&self, found: &Violation) -> Option<[String; 2]> {
        let field: Vec<char> = self.document.pointer(&found.pointer)?.as_str()?.chars().collect();
        let at = found.offset.filter(|at| *at <= field.len())?;
        let begin = field[..at].iter().rposition(|c| *c == '\n').map_or(0, |line_feed| line_feed + 1);
        let end = field[at..].iter().position(|c| *c == '\n').map_or(field.len(), |line_feed| at + line_feed);
        let (begin, end) = (begin.max(at.saturating_sub(CONTEXT)), end.min(at + CONTEXT));
        // Tabs and the like would move the caret.
        let line = field[begin..end].iter().map(|c| if c.is_control() { ' ' } else { *c }).collect();
        Some([line, format!("{}^", " ".repeat(at - begin))])
    }

    fn count(&self, severity: Severity) -> usize {
        self.violations.iter().filter(|found| found.severity == severity).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(pointer: &str, offset: Option<usize>) -> Violation {
        Violation {
            severity: Severity::Error,
            node: Some("a".into()),
            pointer: pointer.to_owned(),
            code: "expression".to_owned(),
            message: "a value is missing".to_owned(),
            offset,
        }
    }

    fn printed(field: &str, offset: Option<usize>) -> Vec<String> {
        let text = json!({"x": [field]}).to_string();
        let found = violation("/x/0", offset);
        let findings = Findings::new(text.as_bytes(), vec![found.clone()]);
        findings
            .lines(&found, Stream::Err)
            .map(|line| console::strip_ansi_codes(&line).into_owned())
            .collect()
    }

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        assert_eq!(
            printed("{{ größe = }}", Some(11)),
            [
                "error: a value is missing [expression]",
                "  at node a, /x/0, character 11",
                "  | {{ größe = }}",
                "  |            ^",
            ]
        );
        assert_eq!(printed("{{ 1 }}", None)[1..], ["  at node a, /x/0"]);
    }

    #[test]
    fn of_a_long_field_only_the_surroundings_are_shown() {
        let lines = printed("first\n\tsecond\nthird", Some(7));
        assert_eq!(lines[2..], ["  |  second", "  |  ^"]);
        let lines = printed(&"x".repeat(1000), Some(500));
        assert_eq!(lines[2], format!("  | {}", "x".repeat(2 * CONTEXT)));
        assert_eq!(lines[3], format!("  | {}^", " ".repeat(CONTEXT)));
        assert_eq!(printed("ab", Some(2))[3], "  |   ^");
        assert_eq!(printed("ab", Some(3)).len(), 2, "an offset outside the field is only named");
    }

    #[test]
    fn warnings_do_not_make_a_file_invalid() {
        let warning = Violation { severity: Severity::Warning, ..violation("/x", None) };
        let findings = Findings::new(b"{}", vec![warning.clone()]);
        assert!(!findings.has_errors());
        assert_eq!(findings.summary(), "valid, 1 warning");
        let findings = Findings::new(b"{}", vec![violation("", None), warning, violation("", None)]);
        assert_eq!(findings.summary(), "2 errors, 1 warning");
        assert_eq!(findings.to_json()["violations"][1]["severity"], "warning");
        assert_eq!(Findings::new(b"{}", vec![]).summary(), "valid");
    }
}
