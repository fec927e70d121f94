//! Outputs that can never be what is asked of them.

use crate::shape::Shape;

/// Why a value of the one shape is none of the other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contradiction {
    pub(super) message: String,
    /// Whether that holds for every value; else a list that is empty may do.
    pub(super) is_sure: bool,
}

/// Why no value of the one shape is one of the other, if that is so.
pub(super) fn contradiction(own: &Shape, wanted: &Shape) -> Option<Contradiction> {
    at("", own, wanted)
}

fn at(place: &str, own: &Shape, wanted: &Shape) -> Option<Contradiction> {
    if own.any || wanted.any || own.is_empty() {
        return None;
    }
    if !own.overlaps(wanted) {
        let what = if place.is_empty() { "it".to_owned() } else { format!("`{place}`") };
        return Some(Contradiction { message: format!("{what} is {own}, and not {wanted}"), is_sure: true });
    }
    // Another kind might match where this one does not.
    let fits_otherwise = |others: &Shape| others.overlaps(wanted);
    if let (Some(mine), Some(theirs)) = (&own.list, &wanted.list)
        && !fits_otherwise(&Shape { list: None, ..own.clone() })
    {
        let found = at(&format!("{place}[]"), &mine.item, &theirs.item)?;
        return Some(Contradiction { is_sure: found.is_sure && mine.least > 0, ..found });
    }
    let (mine, theirs) = own.object.as_ref().zip(wanted.object.as_ref())?;
    if fits_otherwise(&Shape { object: None, ..own.clone() }) {
        return None;
    }
    let required = theirs.fields.iter().filter(|(_, field)| !field.any && !field.missing);
    let mut problems = required.filter_map(|(name, field)| {
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        let has = mine.field(name);
        if has.is_missing() {
            let message = format!("there is no `{place}`, since it is {own}");
            return Some(Contradiction { message, is_sure: true });
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
        let wants = |schema| contradiction(&answer, &Shape::of_schema(&schema)).map(|found| found.message);
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
            Some("there is no `orders`, since it is {body, status}")
        );
        assert!(wants(json!({"type": "array"})).is_some());
        assert_eq!(
            contradiction(&answer.or(&Shape::null()), &Shape::of_schema(&json!({"type": "null"}))),
            None
        );
    }
}
