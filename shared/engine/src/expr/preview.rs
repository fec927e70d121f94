//! Text as far as it can be filled, for those who write it.

use super::{
    ExprError, Scope, Template,
    template::{Piece, defined_part_of},
};

/// A text, and the places in it that could not be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The text. A place that could not be filled stands there as its author wrote it.
    pub text: String,
    /// Those places, in their order.
    pub unfilled: Vec<Unfilled>,
}

/// A place that could not be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfilled {
    /// What stands between its braces.
    pub expression: String,
    /// Where that begins, in characters of the template.
    pub offset: usize,
    /// Why; None where the expression gives nothing.
    pub error: Option<ExprError>,
}

impl Template {
    /// How many expressions stand in the text.
    pub fn places(&self) -> usize {
        self.exprs().count()
    }

    /// Puts the text together, where [`render`](Self::render) would give up at the first failure and take nothing for an empty text. What
    /// comes after an expression that took too long is not tried.
    pub fn preview(&self, scope: &Scope<'_>) -> Preview {
        let mut preview = Preview { text: String::new(), unfilled: Vec::new() };
        for piece in &self.pieces {
            let (expr, start) = match piece {
                Piece::Text(plain) => {
                    preview.text.push_str(plain);
                    continue;
                }
                Piece::Expr(expr) => (expr, expr.start),
            };
            let filled = if preview.took_too_long() {
                Err(ExprError::new("timeout", "an expression before this one took too long").shifted(start))
            } else {
                defined_part_of(expr, scope)
            };
            match filled {
                Ok(Some(text)) => preview.text.push_str(&text),
                unfilled => preview.leave(expr.source(), start, unfilled.err()),
            }
        }
        preview
    }
}

impl Preview {
    fn took_too_long(&self) -> bool {
        let mut errors = self.unfilled.iter().filter_map(|place| place.error.as_ref());
        errors.any(|error| error.code == "timeout")
    }

    fn leave(&mut self, source: &str, offset: usize, error: Option<ExprError>) {
        let expression = source.trim().to_owned();
        self.text.extend(["{{ ", &expression, " }}"]);
        self.unfilled.push(Unfilled { expression, offset, error });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::expr::Entropy;

    fn preview(text: &str, input: &Value) -> Preview {
        let entropy = Entropy { now: domain::Timestamp::UNIX_EPOCH, seed: [0; 32] };
        Template::parse(text).unwrap().preview(&Scope::new(Some(input), &json!({}), entropy))
    }

    #[test]
    fn what_can_be_filled_is_and_the_rest_is_named_in_its_order() {
        let text =
            "Be {{ input.mood }} to {{input.who}}: {{ input.n + 'x' }}{{ input.list }}, {{ secret.KEY }}.";
        let shown = preview(text, &json!({"mood": "kind", "n": 1, "list": [1, "a"]}));
        assert_eq!(shown.text, "Be kind to {{ input.who }}: {{ input.n + 'x' }}[1,\"a\"], {{ secret.KEY }}.");
        let places: Vec<_> = shown
            .unfilled
            .iter()
            .map(|place| {
                (place.expression.as_str(), place.offset, place.error.as_ref().map(|e| e.code.as_str()))
            })
            .collect();
        assert_eq!(
            places,
            [("input.who", 25, None), ("input.n + 'x'", 40, Some("T2002")), ("secret.KEY", 77, None)]
        );
    }

    #[test]
    fn a_text_that_is_one_expression_becomes_text_too() {
        assert_eq!(preview("{{ input }}", &json!({"a": 1})).text, r#"{"a":1}"#);
        assert_eq!(preview("{{ input.a }}", &json!({"a": null})).text, "null");
        assert_eq!(preview("", &json!(1)), Preview { text: String::new(), unfilled: vec![] });
        assert_eq!(Template::parse("a {{ 1 }} b {{ 2 }}").unwrap().places(), 2);
    }

    #[test]
    fn nothing_is_tried_after_an_expression_that_took_too_long() {
        let endless = "{{ ($f := function($x) { $f($x) }; $f(1)) }}";
        let shown = preview(&format!("{endless} {{{{ input }}}}"), &json!("x"));
        let codes: Vec<_> =
            shown.unfilled.iter().map(|place| place.error.as_ref().unwrap().code.as_str()).collect();
        assert_eq!(codes, ["timeout", "timeout"], "{shown:?}");
    }
}
