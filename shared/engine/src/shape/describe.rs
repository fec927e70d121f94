//! Shapes in words, for the messages that people read.

use std::fmt::{self, Display};

use super::{Object, Rest, Shape, Text};

/// The most fields that are named.
const MAX_FIELDS: usize = 12;

/// How deep fields are described.
const MAX_DEPTH: usize = 2;

impl Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe(self, 0))
    }
}

fn describe(shape: &Shape, depth: usize) -> String {
    if shape.any {
        return "anything".to_owned();
    }
    let mut kinds = Vec::new();
    kinds.extend(shape.object.as_ref().map(|object| of_object(object, depth)));
    kinds.extend(shape.list.as_ref().map(|list| match list.item.is_empty() {
        true => "an empty list".to_owned(),
        false if depth >= MAX_DEPTH => "a list".to_owned(),
        false => format!("a list of {}", describe(&list.item, depth + 1)),
    }));
    kinds.extend(shape.text.as_ref().map(of_text));
    kinds.extend(shape.number.then(|| "a number".to_owned()));
    kinds.extend(shape.boolean.then(|| "true or false".to_owned()));
    kinds.extend(shape.null.then(|| "null".to_owned()));
    kinds.extend(shape.function.then(|| "a function".to_owned()));
    kinds.extend(shape.missing.then(|| "nothing".to_owned()));
    if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(" or ") }
}

fn of_text(text: &Text) -> String {
    match text {
        Text::OneOf(words) if words.len() <= 6 => {
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" or ")
        }
        Text::Any | Text::OneOf(_) => "a text".to_owned(),
    }
}

/// Nested objects by their names alone: the shape shall fit a sentence.
fn of_object(object: &Object, depth: usize) -> String {
    if object.fields.is_empty() {
        return if object.rest == Rest::None { "an empty object" } else { "an object" }.to_owned();
    }
    if depth >= MAX_DEPTH {
        return "an object".to_owned();
    }
    let mut names: Vec<_> = object.fields.keys().take(MAX_FIELDS).cloned().collect();
    if object.fields.len() > MAX_FIELDS || matches!(object.rest, Rest::Like(_)) {
        names.push("…".to_owned());
    }
    format!("{{{}}}", names.join(", "))
}

/// The name that was probably meant, if one of these is close to it.
pub(crate) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n String>) -> Option<&'n str> {
    let most = (name.chars().count() / 3).clamp(1, 3);
    let near = names.map(|known| (distance(name, known), known.as_str()));
    near.filter(|(distance, _)| *distance <= most).min().map(|(_, known)| known)
}

/// How many characters have to be put in, taken out, changed or swapped with their neighbour.
fn distance(one: &str, two: &str) -> usize {
    let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (one, two) = (lower(one), lower(two));
    if one.len().abs_diff(two.len()) > 3 || one.len().max(two.len()) > 64 {
        return usize::MAX;
    }
    let mut rows = vec![(0..=two.len()).collect::<Vec<_>>()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in two.iter().enumerate() {
            let changed = rows[i][j] + usize::from(a != b);
            let mut best = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == two[j - 1] && one[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[one.len()][two.len()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_shape_is_a_few_words() {
        let shape = Shape::of_value(&json!({"status": 200, "body": {"a": 1}, "tags": ["x"]}));
        assert_eq!(shape.to_string(), "{body, status, tags}");
        let (tags, _) = shape.look_up("tags");
        assert_eq!(tags.optional().to_string(), "a list of 'x' or nothing");
        assert_eq!(Shape::any().to_string(), "anything");
        assert_eq!(Shape::list(Shape::never()).to_string(), "an empty list");
    }

    #[test]
    fn a_slip_of_the_pen_is_told_from_another_word() {
        let names: Vec<_> = ["status", "headers", "body"].map(str::to_owned).into();
        for (typed, meant) in
            [("stauts", Some("status")), ("Body", Some("body")), ("header", Some("headers")), ("total", None)]
        {
            assert_eq!(nearest(typed, names.iter()), meant, "{typed}");
        }
    }
}
