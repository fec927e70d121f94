//! Values that nodes hand on: held once, however many nodes give them.

use std::sync::Arc;

use domain::OnError;
use serde_json::Value;

use super::transition::Transition;
use crate::{Digest, NodeState};

impl Transition<'_> {
    /// An output that the node was given as such by a parent, or by an ancestor that it reads: held already, and not hashed again unless it
    /// may be a default, whose digest is that of a failure too.
    pub(super) fn handed_on(&self, node: usize, output: &Value) -> Option<(Arc<Value>, Digest)> {
        let offset = self.plan.offset(node);
        let parents = self.plan.incoming(node).map(|(parent, _)| parent);
        let ancestors = self.plan.at(node).visible.iter().map(|ancestor| offset + ancestor);
        parents.chain(ancestors).find_map(|giver| match self.state(giver)? {
            NodeState::Succeeded { output: digest, .. } => {
                let given = self.values.outputs.get(self.plan.key(giver))?;
                let may_be_default =
                    matches!(self.plan.at(giver).document.on_error, OnError::Continue { .. });
                let digest = || if may_be_default { Digest::of(given) } else { digest.clone() };
                is_same(given, output).then(|| (Arc::clone(given), digest()))
            }
            _ => None,
        })
    }

    /// An output on its own, unless it is what the run was started with.
    pub(super) fn held(&self, output: Arc<Value>) -> Arc<Value> {
        let inputs = &self.values.inputs;
        if is_same(inputs, &output) { Arc::clone(inputs) } else { output }
    }
}

/// Whether two values are the same JSON text, and so have one digest. Equal is not enough: objects with their keys in another order are
/// equal, and so are the zeros of both signs.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let pairs = || one.iter().zip(other);
            one.len() == other.len()
                && pairs().all(|(one, other)| one.0 == other.0 && is_same(one.1, other.1))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Number(one), Value::Number(other)) => {
            one == other && one.as_f64().map(f64::to_bits) == other.as_f64().map(f64::to_bits)
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_is_what_has_the_same_text() {
        let values = [
            json!(null),
            json!(false),
            json!(0),
            json!(0.0),
            json!(-0.0),
            json!(1),
            json!(1.0),
            json!(u64::MAX),
            json!(u64::MAX - 1),
            json!("1"),
            json!(""),
            json!([]),
            json!({}),
            json!([1, 2]),
            json!([2, 1]),
            json!([1]),
            json!({"a": 1, "b": 2}),
            json!({"b": 2, "a": 1}),
            json!({"a": 1}),
            json!({"a": 1, "b": [0.0]}),
            json!({"a": 1, "b": [-0.0]}),
        ];
        for one in &values {
            for other in &values {
                let (first, second) = (one.to_string(), other.to_string());
                assert_eq!(is_same(one, other), first == second, "{one} and {other}");
            }
        }
    }
}
