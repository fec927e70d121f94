//! What is known of a value before there is one: the kinds it may have, the fields of an object, the items of a list.
//!
//! A [`Shape`] stands for a set of values, and always for at least those that can be there. What nobody knows is [`Shape::any`];
//! that is what makes a check by shapes safe: it may miss a mistake, and never invents one.

mod describe;
mod look;
mod mock;
mod of_schema;
mod of_value;
mod to_schema;
mod union;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub(crate) use self::{describe::nearest, look::Found, of_schema::of_structured_output};

/// The most parts that a shape has; what is beyond is left as [`Shape::any`]. It bounds the work of a graph whose nodes wrap what they get.
const MAX_PARTS: usize = 1_000;

/// The most words that a text is known to be one of.
const MAX_WORDS: usize = 30;

/// The kinds that a value may have, with what is known of each.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of kinds")]
pub struct Shape {
    /// Whether it may be anything, and nothing.
    pub(crate) any: bool,
    /// Whether it may not be there: JSONata's undefined, a field that is left out.
    pub(crate) missing: bool,
    pub(crate) null: bool,
    pub(crate) boolean: bool,
    pub(crate) number: bool,
    /// A function of an expression, which is never a node's output.
    pub(crate) function: bool,
    pub(crate) text: Option<Text>,
    pub(crate) list: Option<Arc<List>>,
    pub(crate) object: Option<Arc<Object>>,
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Text {
    Any,
    OneOf(BTreeSet<String>),
}

/// A list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct List {
    /// Any of its items; no kind at all where it has none.
    pub(crate) item: Shape,
    /// The fewest items.
    pub(crate) least: usize,
    /// The most items, where they are bounded.
    pub(crate) most: Option<usize>,
    parts: usize,
}

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    /// Those that are known by name; one that may be missing says so.
    pub(crate) fields: BTreeMap<String, Shape>,
    pub(crate) rest: Rest,
    parts: usize,
}

/// What an object may have besides the fields that are known by name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rest {
    /// Nothing.
    None,
    /// Anything, although nobody said so: a schema that lists properties and does not close them.
    Undeclared,
    /// Fields like this.
    Like(Shape),
}

impl Shape {
    /// Nothing is known.
    pub(crate) fn any() -> Self {
        Self { any: true, ..Self::default() }
    }

    /// No value can be there: the item of an empty list.
    pub(crate) fn never() -> Self {
        Self::default()
    }

    pub(crate) fn missing() -> Self {
        Self { missing: true, ..Self::default() }
    }

    pub(crate) fn null() -> Self {
        Self { null: true, ..Self::default() }
    }

    pub(crate) fn boolean() -> Self {
        Self { boolean: true, ..Self::default() }
    }

    pub(crate) fn number() -> Self {
        Self { number: true, ..Self::default() }
    }

    pub(crate) fn function() -> Self {
        Self { function: true, ..Self::default() }
    }

    pub(crate) fn text() -> Self {
        Self { text: Some(Text::Any), ..Self::default() }
    }

    /// One of these texts.
    pub(crate) fn words<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        let words: BTreeSet<_> = words.into_iter().map(Into::into).collect();
        let text = if words.len() > MAX_WORDS { Text::Any } else { Text::OneOf(words) };
        Self { text: Some(text), ..Self::default() }
    }

    pub(crate) fn list(item: Self) -> Self {
        Self::list_of(item, 0, None)
    }

    /// A list of so many items.
    pub(crate) fn list_of(mut item: Self, least: usize, most: Option<usize>) -> Self {
        item.missing = false;
        if item.parts() >= MAX_PARTS {
            item = Self::any();
        }
        let parts = item.parts() + 1;
        Self { list: Some(Arc::new(List { item, least, most, parts })), ..Self::default() }
    }

    /// An object with these fields and no others.
    pub(crate) fn object<N: Into<String>>(fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::object_and(fields.into_iter().map(|(name, shape)| (name.into(), shape)).collect(), Rest::None)
    }

    /// An object with fields like `rest`, whatever their names.
    pub(crate) fn object_of(rest: Self) -> Self {
        Self::object_and(BTreeMap::new(), Rest::Like(rest))
    }

    pub(crate) fn object_and(mut fields: BTreeMap<String, Self>, rest: Rest) -> Self {
        let of_rest = match &rest {
            Rest::Like(shape) => shape.parts(),
            Rest::None | Rest::Undeclared => 0,
        };
        let mut parts = 1 + of_rest + fields.values().map(Self::parts).sum::<usize>();
        if parts > MAX_PARTS {
            fields.values_mut().filter(|field| field.parts() > 1).for_each(|field| *field = Self::any());
            parts = 1 + of_rest + fields.len();
        }
        if parts > MAX_PARTS {
            return Self::object_of(Self::any());
        }
        Self { object: Some(Arc::new(Object { fields, rest, parts })), ..Self::default() }
    }

    /// A failure as expressions see it.
    pub(crate) fn failure() -> Self {
        Self::object(["class", "code", "message"].map(|name| (name, Self::text())))
    }

    /// The same, or nothing.
    pub(crate) fn optional(mut self) -> Self {
        self.missing = true;
        self
    }

    /// The same where it is there.
    pub(crate) fn present(mut self) -> Self {
        self.missing = false;
        self
    }

    /// The same as a node gives it: what is missing becomes null, and so does a function.
    pub(crate) fn settled(mut self) -> Self {
        self.null |= self.missing || self.function;
        self.missing = false;
        self.function = false;
        self
    }

    /// Whether it is surely not there.
    pub(crate) fn is_missing(&self) -> bool {
        *self == Self::missing()
    }

    /// Whether no value but a missing one can be there.
    pub(crate) fn is_empty(&self) -> bool {
        !self.any && self.kinds() == [false; 7]
    }

    /// Whether a value of a kind can be there: null, boolean, number, text, list, object, function.
    fn kinds(&self) -> [bool; 7] {
        [
            self.null,
            self.boolean,
            self.number,
            self.text.is_some(),
            self.list.is_some(),
            self.object.is_some(),
            self.function,
        ]
    }

    /// Whether both may have a value of the same kind, so that one may be the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        if self.any || other.any {
            return true;
        }
        let (mine, theirs) = (self.kinds(), other.kinds());
        let words = match (&self.text, &other.text) {
            (Some(Text::OneOf(mine)), Some(Text::OneOf(theirs))) => !mine.is_disjoint(theirs),
            _ => true,
        };
        (0..7).any(|kind| mine[kind] && theirs[kind] && (kind != 3 || words))
    }

    fn parts(&self) -> usize {
        let list = self.list.as_ref().map_or(0, |list| list.parts);
        let object = self.object.as_ref().map_or(0, |object| object.parts);
        1 + list + object
    }
}
