//! Why a body does not fit its type, in as many places as can be found. The parser stops at the first one; taking the
//! offending field out and parsing again finds the next.

use domain::FieldError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

/// Enough for any honest mistake; bounds the work for a dishonest one.
const MOST: usize = 20;

/// The mistake of a body that is JSON but no object.
pub(super) fn not_an_object() -> FieldError {
    let (code, detail) = ("invalid_type".to_owned(), "The body is an object.".to_owned());
    FieldError { pointer: String::new(), code, detail, node: None, offset: None }
}

/// Every mistake found. `first` is what the parser said about the text that `value` was read from.
pub(super) fn all<T: DeserializeOwned>(mut value: Value, first: &serde_json::Error) -> Vec<FieldError> {
    if !value.is_object() {
        return vec![not_an_object()];
    }
    let (mut found, mut taken) = (Vec::new(), Vec::new());
    while found.len() < MOST
        && let Err(error) = serde_path_to_error::deserialize::<_, T>(&value)
    {
        let mistake = mistake(&pointer(error.path()), error.inner());
        let again = take_out(&mut value, &mistake.pointer, &mut taken);
        // What is missing because it was taken out was reported already.
        if !again.is_repeat {
            found.push(mistake);
        }
        if !again.is_possible {
            break;
        }
    }
    // What only the text shows, such as a field given twice.
    if found.is_empty() { vec![mistake("", first)] } else { found }
}

/// Whether another round may find another mistake.
struct Again {
    /// Something was taken out.
    is_possible: bool,
    /// The place was taken out in an earlier round.
    is_repeat: bool,
}

/// Takes the member at `pointer` out of its object; where there is none to take, the nearest one around the place.
fn take_out(value: &mut Value, pointer: &str, taken: &mut Vec<String>) -> Again {
    let is_repeat = taken.iter().any(|place| place == pointer);
    let mut place = pointer;
    while let Some((parent, key)) = place.rsplit_once('/') {
        let key = key.replace("~1", "/").replace("~0", "~");
        let object = value.pointer_mut(parent).and_then(Value::as_object_mut);
        if object.and_then(|object| object.shift_remove(&key)).is_some() {
            taken.push(place.to_owned());
            return Again { is_possible: true, is_repeat };
        }
        place = parent;
    }
    Again { is_possible: false, is_repeat }
}

fn pointer(path: &Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", escaped(key))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn mistake(pointer: &str, error: &serde_json::Error) -> FieldError {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    let (code, field) = classify(what);
    let pointer = match field.map(escaped) {
        Some(field) if !pointer.ends_with(&format!("/{field}")) => format!("{pointer}/{field}"),
        _ => pointer.to_owned(),
    };
    FieldError { pointer, code: code.to_owned(), detail: format!("{what}."), node: None, offset: None }
}

/// Reads serde's own sentences: their first words and the field they name.
fn classify(what: &str) -> (&'static str, Option<&str>) {
    let field = what.split('`').nth(1);
    match what.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["unknown", "field"] => ("unknown_field", field),
        ["missing", "field"] => ("missing_field", field),
        ["duplicate", "field"] => ("duplicate_field", field),
        ["invalid", "type:"] => ("invalid_type", None),
        _ => ("invalid_value", None),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only their form matters")]
    struct Order {
        name: String,
        #[serde(default)]
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only their form matters")]
    struct Line {
        count: u32,
    }

    fn check(body: &str, expected: &[(&str, &str)]) {
        let first = serde_json::from_str::<Order>(body).unwrap_err();
        let found = all::<Order>(serde_json::from_str(body).unwrap(), &first);
        let found: Vec<_> = found.iter().map(|m| (m.pointer.as_str(), m.code.as_str())).collect();
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn mistakes_are_named_by_pointer_and_several_at_once() {
        check("{}", &[("/name", "missing_field")]);
        check("[]", &[("", "invalid_type")]);
        check("3", &[("", "invalid_type")]);
        check(r#"{"name": 3}"#, &[("/name", "invalid_type")]);
        check(
            r#"{"lines": [{}], "x": 1}"#,
            &[("/lines/0/count", "missing_field"), ("/x", "unknown_field"), ("/name", "missing_field")],
        );
        check(r#"{"name": "a", "name": "b"}"#, &[("/name", "duplicate_field")]);
        check(r#"{"nam/e": "a"}"#, &[("/nam~1e", "unknown_field"), ("/name", "missing_field")]);
        check(
            r#"{"x": 1, "lines": [{"count": 1}, {"count": -1, "y": 2}, {"z": 1}], "name": "a"}"#,
            &[("/x", "unknown_field"), ("/lines/1/count", "invalid_value"), ("/lines/1/y", "unknown_field")],
        );
    }

    #[test]
    fn the_work_is_bounded() {
        let body = format!("{{{}}}", (0..1000).map(|i| format!("\"f{i}\": 1")).collect::<Vec<_>>().join(","));
        let first = serde_json::from_str::<Order>(&body).unwrap_err();
        assert_eq!(all::<Order>(serde_json::from_str(&body).unwrap(), &first).len(), MOST);
    }
}
