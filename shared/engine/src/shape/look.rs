//! What a path finds in a shape.

use super::{Rest, Shape};

/// Whether a name can be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    /// No value that the shape stands for has it.
    No,
    /// Nobody said that it may be there, or that it may not.
    Undeclared,
    /// It may be there, or nothing is known.
    Yes,
}

impl Shape {
    /// What a name finds in the value, as JSONata looks it up: in an object, and in every object of a list, however deep. The second is
    /// what it finds in one object, with the lists that it stands in left away; where there are lists, several may be found.
    pub(crate) fn look_up(&self, name: &str) -> (Self, Found) {
        if self.any {
            return (Self::any(), Found::Yes);
        }
        let mut shape = Self::never();
        let mut found = Found::No;
        if let Some(object) = &self.object {
            shape = object.field(name);
            found = match (object.fields.get(name), &object.rest) {
                (Some(field), _) if field.is_missing() => Found::No,
                (Some(_), _) | (None, Rest::Like(_)) => Found::Yes,
                (None, Rest::Undeclared) => Found::Undeclared,
                (None, Rest::None) => Found::No,
            };
        }
        if let Some(list) = &self.list {
            let (inner, also) = list.item.look_up(name);
            shape = shape.or(&inner.optional());
            // An empty list has no field to miss.
            found = found.max(if list.item.is_empty() { Found::Yes } else { also });
        }
        let others = Self { list: None, object: None, ..self.clone() };
        if others != Self::never() {
            shape.missing = true;
        }
        (shape, found)
    }

    /// The items that `filter` and its like walk: those of a list; anything else but null is a list of itself.
    pub(crate) fn items(&self) -> Self {
        if self.any {
            return Self::any();
        }
        let single = Self { missing: false, null: false, list: None, ..self.clone() };
        match &self.list {
            Some(list) => single.or(&list.item),
            None => single,
        }
    }

    /// The fewest and the most of those items.
    pub(crate) fn item_bounds(&self) -> (usize, Option<usize>) {
        if self.any {
            return (0, None);
        }
        let single = Self { missing: false, null: false, list: None, ..self.clone() };
        let mut bounds = Vec::new();
        bounds.extend((!single.is_empty()).then_some((1, Some(1))));
        bounds.extend((self.null || self.missing).then_some((0, Some(0))));
        bounds.extend(self.list.as_ref().map(|list| (list.least, list.most)));
        let least = bounds.iter().map(|(least, _)| *least).min().unwrap_or(0);
        let most = bounds.iter().map(|(_, most)| *most).try_fold(0, |all, most| Some(all.max(most?)));
        (least, most)
    }
}
