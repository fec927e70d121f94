//! Which interpreter runs an expression.

use serde_json::{Map, Value};

#[cfg(feature = "jsonata-rs")]
use super::jsonata_rs;
use super::{Entropy, ExprError, Scope, jsonata_core};

/// A JSONata interpreter. All run behind the same guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// The crate `jsonata-core`: complete and quick.
    #[default]
    JsonataCore,
    /// The crate `jsonata-rs`, for those who want it. It knows less of JSONata, leaks up to 7 KB per evaluation, and its
    /// time limit neither stops a regex nor bounds memory: for expressions of people one trusts.
    #[cfg(feature = "jsonata-rs")]
    JsonataRs,
}

#[derive(Debug)]
pub(super) enum Program {
    Core(jsonata_core::Program),
    #[cfg(feature = "jsonata-rs")]
    Rs(jsonata_rs::Program),
}

impl Engine {
    pub(super) fn parse(self, source: &str) -> Result<Program, ExprError> {
        match self {
            Self::JsonataCore => jsonata_core::Program::parse(source).map(Program::Core),
            #[cfg(feature = "jsonata-rs")]
            Self::JsonataRs => jsonata_rs::Program::parse(source).map(Program::Rs),
        }
    }
}

impl Program {
    pub(super) fn evaluate(&self, scope: &Scope<'_>) -> Result<Option<Value>, ExprError> {
        match self {
            Self::Core(program) => program.evaluate(&scope.converted(), scope.entropy()),
            #[cfg(feature = "jsonata-rs")]
            Self::Rs(program) => program.evaluate(&scope.to_json(), scope.entropy()),
        }
    }

    pub(super) fn evaluate_data(
        &self,
        data: Option<&Value>,
        bindings: &Map<String, Value>,
        entropy: &Entropy,
    ) -> Result<Option<Value>, ExprError> {
        match self {
            Self::Core(program) => program.evaluate_data(data, bindings, entropy),
            #[cfg(feature = "jsonata-rs")]
            Self::Rs(program) => program.evaluate_data(data, bindings, entropy),
        }
    }
}
