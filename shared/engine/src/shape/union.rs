//! What is either of two shapes, and what is both.

use std::collections::{BTreeMap, BTreeSet};

use super::{List, Object, Rest, Shape, Text};

impl Shape {
    /// Either of them.
    #[must_use]
    pub(crate) fn or(self, other: &Self) -> Self {
        if self.any || other.any {
            return Self::any();
        }
        let list = match (&self.list, &other.list) {
            (Some(one), Some(two)) => either_list(one, two).list,
            (one, two) => one.as_ref().or(two.as_ref()).cloned(),
        };
        let object = match (&self.object, &other.object) {
            (Some(one), Some(two)) => either_object(one, two).object,
            (one, two) => one.as_ref().or(two.as_ref()).cloned(),
        };
        let text = match (&self.text, &other.text) {
            (Some(Text::OneOf(one)), Some(Text::OneOf(two))) => {
                Self::words(one.union(two).cloned().collect::<BTreeSet<_>>()).text
            }
            (Some(_), Some(_)) => Some(Text::Any),
            (one, two) => one.as_ref().or(two.as_ref()).cloned(),
        };
        Self {
            any: false,
            missing: self.missing || other.missing,
            null: self.null || other.null,
            boolean: self.boolean || other.boolean,
            number: self.number || other.number,
            function: self.function || other.function,
            text,
            list,
            object,
        }
    }

    /// Any of them.
    pub(crate) fn any_of<'s>(shapes: impl IntoIterator<Item = &'s Self>) -> Self {
        shapes.into_iter().fold(Self::never(), Self::or)
    }

    /// What is known of a value by both. Where they contradict each other no value is left of that kind.
    pub(crate) fn and(&self, other: &Self) -> Self {
        if self.any || other.any {
            return if self.any { other.clone() } else { self.clone() };
        }
        let list = self.list.as_ref().zip(other.list.as_ref());
        let object = self.object.as_ref().zip(other.object.as_ref());
        Self {
            any: false,
            missing: self.missing && other.missing,
            null: self.null && other.null,
            boolean: self.boolean && other.boolean,
            number: self.number && other.number,
            function: self.function && other.function,
            text: self.text.as_ref().zip(other.text.as_ref()).and_then(|(one, two)| both_texts(one, two)),
            list: list.and_then(|(one, two)| both_lists(one, two).list),
            object: object.and_then(|(one, two)| both_objects(one, two).object),
        }
    }
}

fn either_list(one: &List, two: &List) -> Shape {
    let most = one.most.zip(two.most).map(|(one, two)| one.max(two));
    Shape::list_of(one.item.clone().or(&two.item), one.least.min(two.least), most)
}

/// A field that only one of them has may be missing; of one that the other may have without saying so, nothing is known.
fn either_object(one: &Object, two: &Object) -> Shape {
    let field = |name: &String| {
        let (one, two) = (one.field(name), two.field(name));
        (name.clone(), one.or(&two))
    };
    let fields: BTreeMap<_, _> = one.fields.keys().chain(two.fields.keys()).map(field).collect();
    let rest = match (&one.rest, &two.rest) {
        (Rest::Like(one), Rest::Like(two)) => Rest::Like(one.clone().or(two)),
        (Rest::Like(any), Rest::Undeclared) | (Rest::Undeclared, Rest::Like(any)) => {
            Rest::Like(any.clone().or(&Shape::any()))
        }
        (Rest::Like(some), Rest::None) | (Rest::None, Rest::Like(some)) => Rest::Like(some.clone()),
        (Rest::None, Rest::None) => Rest::None,
        (Rest::Undeclared, _) | (_, Rest::Undeclared) => Rest::Undeclared,
    };
    Shape::object_and(fields, rest)
}

fn both_texts(one: &Text, two: &Text) -> Option<Text> {
    match (one, two) {
        (Text::Any, known) | (known, Text::Any) => Some(known.clone()),
        (Text::OneOf(one), Text::OneOf(two)) => {
            let words: BTreeSet<_> = one.intersection(two).cloned().collect();
            (!words.is_empty()).then_some(Text::OneOf(words))
        }
    }
}

fn both_lists(one: &List, two: &List) -> Shape {
    let most = match (one.most, two.most) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    };
    Shape::list_of(one.item.and(&two.item), one.least.max(two.least), most)
}

fn both_objects(one: &Object, two: &Object) -> Shape {
    let names = one.fields.keys().chain(two.fields.keys());
    let fields = names.map(|name| (name.clone(), one.field(name).and(&two.field(name)))).collect();
    let rest = match (&one.rest, &two.rest) {
        (Rest::None, _) | (_, Rest::None) => Rest::None,
        (Rest::Like(one), Rest::Like(two)) => Rest::Like(one.and(two)),
        (Rest::Like(known), Rest::Undeclared) | (Rest::Undeclared, Rest::Like(known)) if !known.any => {
            Rest::Like(known.clone())
        }
        _ => Rest::Undeclared,
    };
    Shape::object_and(fields, rest)
}

impl Object {
    /// What stands under a name.
    pub(crate) fn field(&self, name: &str) -> Shape {
        match (self.fields.get(name), &self.rest) {
            (Some(field), _) => field.clone(),
            (None, Rest::None) => Shape::missing(),
            (None, Rest::Undeclared) => Shape::any(),
            (None, Rest::Like(rest)) => rest.clone().optional(),
        }
    }
}
