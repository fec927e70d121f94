//! What can't be meant, in words and with its place.

use super::{Absence, At, Inference};
use crate::{
    expr::{infer::Doubt, scan},
    shape::{Found, Shape, nearest},
};

impl Inference<'_> {
    /// A name that is looked up in `shape`, which has no such thing. `place` are the names before it.
    pub(super) fn doubt_name(&mut self, name: &str, place: &[&str], shape: &Shape, found: Found, at: &At) {
        let is_sure = match (found, at.absence) {
            (Found::Yes, _) | (Found::Undeclared, Absence::Expected) => return,
            (Found::No, Absence::Unexpected) => true,
            (Found::No | Found::Undeclared, _) => false,
        };
        let known = known_names(shape);
        let near = nearest(name, known.iter()).map(|near| format!(". Did you mean `{near}`?"));
        let (code, message) = if place.is_empty() && at.is_root {
            let hint = near.or_else(|| self.hint_of_input(name)).unwrap_or_default();
            (
                "unknown_name",
                format!("there is no `{name}` here; an expression begins with {}{hint}", listed(&known)),
            )
        } else {
            let whose = match place {
                [] => "the current item".to_owned(),
                names => format!("`{}`", names.join(".")),
            };
            let shape = shape.clone().present();
            let without = match (&shape.object, &shape.list, found) {
                (None, None, _) => "it has no fields, so no".to_owned(),
                (_, Some(_), _) if shape.object.is_none() => "its items have no".to_owned(),
                (.., Found::Undeclared) => "nothing says that it has a".to_owned(),
                _ => "it has no".to_owned(),
            };
            let message = format!("{whose} here is {shape}; {without} `{name}`{}", near.unwrap_or_default());
            (if found == Found::No { "unknown_field" } else { "undeclared_field" }, message)
        };
        let offset = self.offset_of(name, place.last().copied());
        self.doubts.push(Doubt { code, message, is_sure, offset });
    }

    /// A plain name that the parent's output has is probably meant to be that.
    fn hint_of_input(&self, name: &str) -> Option<String> {
        let (input, _) = self.root.look_up("input");
        let is_there = input.object.as_ref().is_some_and(|object| object.fields.contains_key(name));
        is_there.then(|| format!(". Did you mean `input.{name}`?"))
    }

    pub(super) fn doubt_variable(&mut self, name: &str) {
        let offset = self.offset_of(&format!("${name}"), None);
        let near = nearest(name, self.names.iter()).map(|near| format!(". Did you mean `${near}`?"));
        let message = format!("nothing is bound to `${name}`{}", near.unwrap_or_default());
        self.doubts.push(Doubt { code: "unknown_variable", message, is_sure: false, offset });
    }

    /// A value of a kind that an operator or function does not take. It is certain only where the value is surely there, and surely used.
    pub(super) fn doubt_kind(&mut self, who: &str, wants: &str, value: &Shape, name: Option<&str>, at: &At) {
        let is_sure = at.is_sure && !value.missing;
        let what = name.map_or_else(String::new, |name| format!("`{name}` is "));
        let message = format!("{who} takes {wants}, but {what}{} here", value.clone().present());
        let message = if what.is_empty() {
            message.replace(", but ", ", and not ").replace(" here", "")
        } else {
            message
        };
        let offset = name.and_then(|name| self.offset_of(name.rsplit('.').next().unwrap_or(name), None));
        self.doubts.push(Doubt { code: "wrong_kind", message, is_sure, offset });
    }

    pub(super) fn doubt_equality(&mut self, operator: &str, left: &Shape, right: &Shape) {
        let (left, right) = (left.clone().present(), right.clone().present());
        let message = format!("`{operator}` compares {left} with {right}, which are never the same");
        self.doubts.push(Doubt { code: "never_equal", message, is_sure: false, offset: None });
    }

    /// Where a name stands, in characters: after the name before it if there is one, else the first time that it does.
    fn offset_of(&self, name: &str, before: Option<&str>) -> Option<usize> {
        let tokens = scan::tokens(self.source).ok()?;
        let is = |i: usize, name: &str| tokens[i].text.trim_matches('`') == name;
        let follows = |i: usize| match before {
            Some(before) => (0..i).rev().take(2).any(|j| is(j, before)),
            None => i == 0 || tokens[i - 1].text != ".",
        };
        let mut places = (0..tokens.len()).filter(|i| is(*i, name));
        let first = places.clone().next();
        let place = places.find(|i| follows(*i)).or(first)?;
        Some(self.source[..tokens[place].start].chars().count())
    }
}

fn known_names(shape: &Shape) -> Vec<String> {
    let own = shape.object.iter().flat_map(|object| object.fields.keys().cloned());
    let of_items = shape.list.iter().flat_map(|list| known_names(&list.item));
    own.chain(of_items).collect()
}

fn listed(names: &[String]) -> String {
    let shown: Vec<_> =
        names.iter().filter(|name| *name != "secret").map(|name| format!("`{name}`")).collect();
    shown.join(", ")
}
