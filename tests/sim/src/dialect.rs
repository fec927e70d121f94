//! How the control state is written down. Two versions of the code may be at work on one run: what the newer one writes besides
//! must not trouble the older one, which forgets it.

use app::ports::{StoreError, unavailable};
use engine::Run;
use serde_json::{Value, json};

/// The version of the code that a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// As the code under test.
    Today,
    /// With fields that the code under test does not know.
    Tomorrow,
}

impl Dialect {
    /// A control state as this version stores it.
    pub fn write(self, run: &Run) -> Result<String, StoreError> {
        let unwritable = unavailable("write a run");
        if self == Self::Today {
            return serde_json::to_string(run).map_err(unwritable);
        }
        let mut written = serde_json::to_value(run).map_err(unwritable)?;
        written["from_tomorrow"] = json!({"nested": [1, "two", null]});
        for node in written["nodes"].as_object_mut().into_iter().flat_map(|nodes| nodes.values_mut()) {
            node["from_tomorrow"] = Value::Bool(true);
        }
        Ok(written.to_string())
    }
}

/// A control state as the code under test reads it, whoever wrote it.
pub fn read(text: &str) -> Result<Run, StoreError> {
    serde_json::from_str(text).map_err(unavailable("read a run"))
}
