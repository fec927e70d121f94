//! What a node is evaluated with.

use std::{cell::OnceCell, fmt};

use serde_json::Value;

use crate::expr::{Entropy, Scope};

/// What a node is evaluated with: its input at once; `base`, which costs copies of other outputs, only once
/// an expression asks.
pub struct Context<'a> {
    /// What expressions see as `input`.
    pub input: &'a Value,
    make_base: &'a dyn Fn() -> Value,
    base: OnceCell<Value>,
    entropy: Entropy,
}

impl<'a> Context<'a> {
    /// A context in which `base` is what `make_base` gives.
    pub fn new(input: &'a Value, make_base: &'a dyn Fn() -> Value, entropy: Entropy) -> Self {
        Self { input, make_base, base: OnceCell::new(), entropy }
    }

    /// The names that the node's expressions see.
    pub fn scope(&self) -> Scope<'_> {
        let base = self.base.get_or_init(|| (self.make_base)());
        Scope::new(Some(self.input), base, self.entropy.clone())
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("input", self.input).finish_non_exhaustive()
    }
}
