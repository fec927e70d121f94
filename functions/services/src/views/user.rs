//! End users and what they are known by.

use std::collections::BTreeMap;

use catalog::{SegmentKey, ServiceUser};
use domain::{FieldError, ServiceId, ServiceUserId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most properties of a segment key.
const MOST_PROPERTIES: usize = 20;
/// The most characters of a property's name.
const NAME_MAX: usize = 100;
/// The most characters of a property.
const VALUE_MAX: usize = 500;

/// A segment key, and whose it is. What is missing is named with all other mistakes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolve {
    /// The service; a service need not name itself.
    #[schema(value_type = Option<Uuid>)]
    service_id: Option<ServiceId>,
    /// Of the scheme that the properties follow, from 1.
    #[serde(default)]
    #[schema(required = true, minimum = 1, example = 1)]
    version: u16,
    /// 1 to 20 texts of at most 500 characters, compared byte by byte.
    #[serde(default)]
    #[schema(required = true, example = json!({"user_id": "abc", "client_id": "123"}))]
    properties: BTreeMap<String, String>,
}

impl Resolve {
    /// The service that is meant, which is `own` where none is named, and the key; or every mistake.
    pub(crate) fn check(self, own: Option<ServiceId>) -> Result<(ServiceId, SegmentKey), Vec<FieldError>> {
        let mut mistakes = Vec::new();
        let service = self.service_id.or(own);
        if service.is_none() {
            mistakes.push(FieldError::new(
                "/service_id",
                "missing",
                "Name the service whose end user is meant.",
            ));
        }
        if self.version == 0 {
            mistakes.push(FieldError::new("/version", "out_of_range", "Versions count from 1."));
        }
        if self.properties.is_empty() || self.properties.len() > MOST_PROPERTIES {
            mistakes.push(FieldError::new("/properties", "length", "A segment key has 1 to 20 properties."));
        }
        for (name, value) in self.properties.iter().take(MOST_PROPERTIES) {
            if name.is_empty() || name.chars().count() > NAME_MAX || value.chars().count() > VALUE_MAX {
                let pointer = format!("/properties/{}", name.replace('~', "~0").replace('/', "~1"));
                let rule = "A property has a name of 1 to 100 characters and at most 500 characters itself.";
                mistakes.push(FieldError::new(&pointer, "length", rule));
            }
        }
        let service = service.filter(|_| mistakes.is_empty()).ok_or(mistakes)?;
        Ok((service, SegmentKey { version: self.version, properties: self.properties }))
    }
}

/// An end user of a service.
#[derive(Serialize, ToSchema)]
#[schema(as = EndUser)]
pub(crate) struct EndUserView {
    #[schema(value_type = Uuid)]
    id: ServiceUserId,
    #[schema(value_type = Uuid)]
    service_id: ServiceId,
    /// What sessions of theirs are kept under.
    #[schema(value_type = Uuid)]
    user_id: UserId,
    segment_key: SegmentKeyView,
    /// When they were first met.
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
}

/// What an end user is known by.
#[derive(Serialize, ToSchema)]
#[schema(as = SegmentKey)]
struct SegmentKeyView {
    #[schema(example = 1)]
    version: u16,
    #[schema(example = json!({"user_id": "abc", "client_id": "123"}))]
    properties: BTreeMap<String, String>,
}

impl EndUserView {
    pub(crate) fn new(service: ServiceId, user: ServiceUser) -> Self {
        let SegmentKey { version, properties } = user.segment_key;
        Self {
            id: user.id,
            service_id: service,
            user_id: user.user_id,
            segment_key: SegmentKeyView { version, properties },
            created_on: user.created_on,
        }
    }
}
