//! Outputs that can never be what is asked of them.

use crate::shape::Shape;

/// Why no value of the one shape is one of the other, if that is so.
pub(super) fn contradiction(own: &Shape, wanted: &Shape) -> Option<String> {
    at("", own, wanted)
}

fn at(place: &str, own: &Shape, wanted: &Shape) -> Option<String> {
    if own.any || wanted.any || own.is_empty() {
        return None;
    }
    if !own.overlaps(wanted) {
        let what = if place.is_empty() { "it".to_owned() } else { format!("`{place}`") };
        return Some(format!("{what} is {own}, and not {wanted}"));
    }
    // Another kind might match where an object does not.
    let others = Shape { object: None, ..own.clone() };
    let (mine, theirs) =
        own.object.as_ref().zip(wanted.object.as_ref()).filter(|_| !others.overlaps(wanted))?;
    let required = theirs.fields.iter().filter(|(_, field)| !field.any && !field.missing);
    let mut problems = required.filter_map(|(name, field)| {
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        let has = mine.field(name);
        if has.is_missing() {
            return Some(format!("it has no `{place}`, since it is {own}"));
        }
        at(&place, &has, field)
    });
    problems.next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_can_never_match_is_told_and_nothing_else() {
        let answer = Shape::object([("status", Shape::number()), ("body", Shape::any())]);
        let wants = |schema| contradiction(&answer, &Shape::of_schema(&schema));
        assert_eq!(wants(json!({"type": "object", "required": ["status", "body"]})), None);
        assert_eq!(
            wants(json!({"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]})).as_deref(),
            Some("`status` is a number, and not a text")
        );
        assert_eq!(
            wants(
                json!({"type": "object", "required": ["orders"], "properties": {"orders": {"type": "array"}}})
            )
            .as_deref(),
            Some("it has no `orders`, since it is {body, status}")
        );
        assert!(wants(json!({"type": "array"})).is_some());
        assert_eq!(
            contradiction(&answer.or(&Shape::null()), &Shape::of_schema(&json!({"type": "null"}))),
            None
        );
    }
}
