//! What an end user of a service is known by (KEY-06, KEY-07).

use std::collections::BTreeMap;

use domain::ServiceId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Properties that mean one end user of a service, in the version of the scheme that they follow. Two keys are the same if service,
/// version and properties are, in whatever order these were given; texts are compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentKey {
    /// From 1.
    pub version: u16,
    /// Such as `{"user_id": "abc", "client_id": "123"}`; sorted.
    pub properties: BTreeMap<String, String>,
}

impl SegmentKey {
    /// SHA-256 of `["<service>",<version>,{<properties, sorted>}]`, JSON without blanks. It decides who an end user is, so that it can never
    /// change.
    pub fn sha256(&self, service: ServiceId) -> [u8; 32] {
        let canonical = serde_json::json!([service, self.version, self.properties]);
        Sha256::digest(canonical.to_string()).into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    const SHOP: ServiceId = ServiceId::new(uuid::Uuid::from_u128(1));

    fn key(value: Value) -> SegmentKey {
        from_value(value).unwrap()
    }

    #[test]
    fn the_order_of_properties_does_not_matter_and_all_else_does() {
        let one = key(json!({"version": 1, "properties": {"user_id": "abc", "client_id": "123"}}));
        let turned = key(json!({"properties": {"client_id": "123", "user_id": "abc"}, "version": 1}));
        assert_eq!(one.sha256(SHOP), turned.sha256(SHOP));
        let others = [
            json!({"version": 2, "properties": {"user_id": "abc", "client_id": "123"}}),
            json!({"version": 1, "properties": {"user_id": "abc"}}),
            json!({"version": 1, "properties": {"user_id": "123", "client_id": "abc"}}),
            json!({"version": 1, "properties": {"user_id": "abc", "client_id": "1\",\"x\":\"23"}}),
        ];
        for other in others {
            assert_ne!(key(other.clone()).sha256(SHOP), one.sha256(SHOP), "{other}");
        }
        assert_ne!(one.sha256(ServiceId::new(uuid::Uuid::from_u128(2))), one.sha256(SHOP));
    }

    #[test]
    fn the_hash_is_that_of_the_documented_text() {
        let one = key(json!({"version": 1, "properties": {"b": "2", "a": "ä"}}));
        let text = r#"["00000000-0000-0000-0000-000000000001",1,{"a":"ä","b":"2"}]"#;
        assert_eq!(one.sha256(SHOP), <[u8; 32]>::from(Sha256::digest(text)));
    }
}
