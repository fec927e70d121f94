//! What a node is evaluated with.

use std::{cell::OnceCell, fmt};

use serde_json::Value;

use crate::expr::{Entropy, Scope};

/// What a node is evaluated with: its input at once; `base`, which costs copies of other outputs, only once
/// an expression asks.
pub struct Context<'a> {
    /// What expressions see as `input`.
    pub input: &'a Value,
    item: Option<(&'a Value, usize)>,
    make_base: &'a dyn Fn() -> Value,
    base: OnceCell<Value>,
    entropy: Entropy,
}

impl<'a> Context<'a> {
    /// A context in which `base` is what `make_base` gives.
    pub fn new(input: &'a Value, make_base: &'a dyn Fn() -> Value, entropy: Entropy) -> Self {
        Self { input, item: None, make_base, base: OnceCell::new(), entropy }
    }

    /// The same context for the body of a `for_each`, which sees `item` and `index`.
    pub fn with_item(self, item: Option<(&'a Value, usize)>) -> Self {
        Self { item, ..self }
    }

    /// The names that the node's expressions see.
    pub fn scope(&self) -> Scope<'_> {
        let base = self.base.get_or_init(|| (self.make_base)());
        let scope = Scope::new(Some(self.input), base, self.entropy.clone());
        match self.item {
            Some((item, index)) => scope.with_item(item, index),
            None => scope,
        }
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("input", self.input).finish_non_exhaustive()
    }
}
