//! Segments.

use catalog::{NewSegment, Segment, SegmentPatch};
use domain::{FieldError, SegmentId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::check_name;

/// A named schema of segment keys.
#[derive(Serialize, ToSchema)]
#[schema(as = Segment)]
pub(crate) struct SegmentView {
    #[schema(value_type = Uuid)]
    id: SegmentId,
    #[schema(example = "shoppers")]
    name: String,
    /// JSON Schema of the properties of a segment key.
    #[schema(value_type = Object)]
    keys: Map<String, Value>,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_on: Timestamp,
}

impl From<Segment> for SegmentView {
    fn from(Segment { id, name, keys, created_on, updated_on }: Segment) -> Self {
        Self { id, name, keys, created_on, updated_on }
    }
}

/// A segment to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "shoppers", "keys": {"type": "object", "required": ["user_id"]}}))]
pub(crate) struct CreateSegment {
    /// 1 to 200 characters, unique in the service.
    #[schema(min_length = 1, max_length = 200, example = "shoppers")]
    name: String,
    /// JSON Schema of the properties of a segment key; `{}` takes any.
    #[serde(default)]
    #[schema(value_type = Object)]
    keys: Map<String, Value>,
}

impl CreateSegment {
    /// The segment that is meant, or every mistake.
    pub(crate) fn check(self, id: SegmentId) -> Result<NewSegment, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        check_name(&self.name, &mut mistakes);
        check_keys(&self.keys, &mut mistakes);
        if mistakes.is_empty() {
            Ok(NewSegment { id, name: self.name, keys: self.keys })
        } else {
            Err(mistakes)
        }
    }
}

/// What to change; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateSegment {
    /// 1 to 200 characters, unique in the service.
    #[schema(min_length = 1, max_length = 200, example = "regulars")]
    name: Option<String>,
    /// JSON Schema of the properties of a segment key.
    #[schema(value_type = Option<Object>)]
    keys: Option<Map<String, Value>>,
}

impl UpdateSegment {
    /// The change that is meant, or every mistake.
    pub(crate) fn check(self) -> Result<SegmentPatch, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        if let Some(name) = &self.name {
            check_name(name, &mut mistakes);
        }
        if let Some(keys) = &self.keys {
            check_keys(keys, &mut mistakes);
        }
        if mistakes.is_empty() {
            Ok(SegmentPatch { name: self.name, keys: self.keys })
        } else {
            Err(mistakes)
        }
    }
}

fn check_keys(keys: &Map<String, Value>, mistakes: &mut Vec<FieldError>) {
    for wrong in engine::validate_input_params(keys) {
        mistakes.push(FieldError::new(format!("/keys{}", wrong.pointer), &wrong.code, &wrong.message));
    }
}
