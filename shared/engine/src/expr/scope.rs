//! What names an expression sees.

use std::{cell::OnceCell, fmt, rc::Rc};

use serde_json::Value;

use super::{
    Entropy,
    jsonata_core::{self, Converted},
};

/// The names that an expression sees: `input`, `base`, and inside bodies `item` and `index`; each also as a variable
/// (`$input`, `$base`, …), which is what to write inside a predicate, a step or an object constructor, where a plain name
/// means a field of the current item.
///
/// `input` and `base` are converted for the interpreter once, when an expression first needs them, however many fields
/// and items are evaluated with this scope and those made from it.
#[derive(Clone)]
pub struct Scope<'a> {
    input: Option<&'a Value>,
    base: &'a Value,
    item: Option<(&'a Value, usize)>,
    entropy: Entropy,
    converted: Rc<OnceCell<Vec<(&'static str, Converted)>>>,
}

impl<'a> Scope<'a> {
    /// A scope; without an input, `input` is undefined.
    pub fn new(input: Option<&'a Value>, base: &'a Value, entropy: Entropy) -> Self {
        Self { input, base, item: None, entropy, converted: Rc::default() }
    }

    /// The same scope with one item of a list and its index from 0; `$random()` differs from item to item.
    pub fn with_item(&self, item: &'a Value, index: usize) -> Self {
        Self {
            item: Some((item, index)),
            entropy: self.entropy.part(&format!("item {index}")),
            ..self.clone()
        }
    }

    /// The same scope for one part of a document, so that `$random()` differs from part to part.
    pub(super) fn part(&self, label: &str) -> Self {
        Self { entropy: self.entropy.part(label), ..self.clone() }
    }

    pub(super) fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// What stands under a name, as JSON; None for a name that is not there, or is no JSON (`index`).
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        match name {
            "input" => self.input,
            "base" => Some(self.base),
            "item" => self.item.map(|(item, _)| item),
            _ => None,
        }
    }

    /// The names with their values, in the interpreter's form.
    pub(super) fn converted(&self) -> Vec<(&'static str, Converted)> {
        let outer = self.converted.get_or_init(|| {
            let named = [("input", self.input), ("base", Some(self.base))];
            named
                .into_iter()
                .filter_map(|(name, value)| Some((name, jsonata_core::convert(value?))))
                .collect()
        });
        let mut names = outer.clone();
        if let Some((item, index)) = self.item {
            names.push(("item", jsonata_core::convert(item)));
            names.push(("index", jsonata_core::index(index)));
        }
        names
    }

    /// The names as one JSON object.
    #[cfg(feature = "jsonata-rs")]
    pub(super) fn to_json(&self) -> Value {
        let index = self.item.map(|(_, index)| Value::from(index));
        let names = ["input", "base", "item"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), self.get(name)?.clone())));
        Value::Object(names.chain(index.map(|index| ("index".to_owned(), index))).collect())
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("entropy", &self.entropy).finish_non_exhaustive()
    }
}
