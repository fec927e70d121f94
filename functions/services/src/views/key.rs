//! API keys.

use catalog::Service;
use chrono::TimeDelta;
use domain::{FieldError, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::key::NewKey;

/// The longest that a key stays good beside the next one: a week.
const LONGEST_GRACE_S: u32 = 604_800;

/// How to replace a key.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueKey {
    /// For how many seconds the key that the service has stays good; 0, which is none, to 604800.
    #[serde(default)]
    #[schema(maximum = 604_800, example = 3600)]
    grace_seconds: u32,
}

impl IssueKey {
    /// The grace, if there is to be one, or what is wrong with it.
    pub(crate) fn check(self) -> Result<Option<TimeDelta>, Vec<FieldError>> {
        match self.grace_seconds {
            0 => Ok(None),
            1..=LONGEST_GRACE_S => Ok(Some(TimeDelta::seconds(self.grace_seconds.into()))),
            _ => Err(vec![FieldError::new(
                "/grace_seconds",
                "out_of_range",
                "From 0 to 604800, which is a week.",
            )]),
        }
    }
}

/// A new key.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedKey {
    #[schema(value_type = Uuid)]
    service_id: ServiceId,
    /// In clear, for the only time: it can't be read again.
    #[schema(example = "hdl_…")]
    api_key: String,
    /// What it is recognised by later.
    #[schema(example = "x7Qa")]
    api_key_last4: String,
    /// Until when the key before it is good; null where there was none, or where it is void.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_key_expires_at: Option<Timestamp>,
}

impl IssuedKey {
    pub(crate) fn new(key: NewKey, service: &Service) -> Self {
        Self {
            service_id: service.id,
            api_key_last4: key.digest().last4,
            api_key: key.into_clear(),
            previous_key_expires_at: service.previous_key_expires_at,
        }
    }
}
