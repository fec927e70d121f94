//! What requests and answers look like. No answer has a value in it, and no mistake repeats one.

mod value;

use app::ports::{SecretValue, SecretVersion};
use domain::{FieldError, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vault::KeptSecret;

use value::Value;

/// The longest value: one that still fits an item of the run store many times over.
const LONGEST: usize = 64 * 1024;

/// A value for a secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutSecret {
    /// 1 to 65,536 bytes of UTF-8.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 65_536, write_only,
        example = "sk-live-4f9a0c7e21b8")]
    value: Value,
}

impl PutSecret {
    /// The value, or every mistake.
    pub(crate) fn check(self) -> Result<SecretValue, Vec<FieldError>> {
        let value = self.value.0;
        if (1..=LONGEST).contains(&value.expose().len()) {
            Ok(value)
        } else {
            Err(vec![FieldError::new("/value", "length", "A value has 1 to 65,536 bytes.")])
        }
    }
}

/// What is wrong with a name.
pub(crate) fn check_name(name: &str) -> Vec<FieldError> {
    if engine::expr::is_secret_name(name) {
        return Vec::new();
    }
    let detail = "A name is a letter, then at most 63 letters, digits and underscores, all of ASCII.";
    vec![FieldError::new("/path/name", "invalid_name", detail)]
}

/// What became of a value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretKept {
    /// What workflows call it: `secret.NAME`.
    #[schema(example = "payment_key")]
    name: String,
    /// Counts from 1.
    #[schema(example = 2)]
    version: u32,
    /// The last four characters; null of a value with fewer than twelve.
    #[schema(example = "21b8")]
    last4: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
}

impl SecretKept {
    pub(crate) fn new(name: String, kept: KeptSecret) -> Self {
        Self { name, version: kept.version, last4: shown(kept.last4), created_on: kept.created_on }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// A secret without what is in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretView {
    /// What workflows call it: `secret.NAME`.
    #[schema(example = "payment_key")]
    name: String,
    /// The version in use.
    #[schema(example = 2)]
    version: u32,
    /// The last four characters of the version in use; null of a value with fewer than twelve.
    #[schema(example = "21b8")]
    last4: Option<String>,
    /// When its first version was put.
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    /// When the version in use was put.
    #[schema(value_type = String, format = DateTime)]
    updated_on: Timestamp,
    /// All versions, the one in use first.
    versions: Vec<VersionView>,
}

/// A version of a secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    /// Counts from 1.
    #[schema(example = 2)]
    version: u32,
    /// The last four characters; null of a value with fewer than twelve.
    #[schema(example = "21b8")]
    last4: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
}

/// One view of each secret, of versions that come by name and the one in use first.
pub(crate) fn summaries(versions: Vec<SecretVersion>) -> Vec<SecretView> {
    let mut views: Vec<SecretView> = Vec::new();
    for SecretVersion { name, version, last4, created_on } in versions {
        let last4 = shown(last4);
        let view = VersionView { version, last4: last4.clone(), created_on };
        match views.last_mut().filter(|last| last.name == name) {
            Some(last) => {
                last.created_on = created_on;
                last.versions.push(view);
            }
            None => views.push(SecretView {
                name,
                version,
                last4,
                created_on,
                updated_on: created_on,
                versions: vec![view],
            }),
        }
    }
    views
}

fn shown(last4: String) -> Option<String> {
    (!last4.is_empty()).then_some(last4)
}
