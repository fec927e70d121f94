//! Services.

use catalog::{NewService, Service, ServiceCounts};
use domain::{Environment, FieldError, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check_name;

/// Where a service calls from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Environment)]
#[expect(dead_code, reason = "describes domain::Environment, which knows no OpenAPI")]
pub(crate) enum EnvironmentDoc {
    Dev,
    Stage,
    Prod,
}

/// An external caller of a team in one environment.
#[derive(Serialize, ToSchema)]
#[schema(as = Service)]
pub(crate) struct ServiceView {
    #[schema(value_type = Uuid)]
    id: ServiceId,
    #[schema(example = "Web shop")]
    name: String,
    #[schema(value_type = EnvironmentDoc)]
    environment: Environment,
    /// The last four characters of its key; null where it has none.
    #[schema(example = "x7Qa")]
    api_key_last4: Option<String>,
    /// Until when the key that it had before is good, or was.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_key_expires_at: Option<Timestamp>,
    counts: CountsView,
    #[schema(value_type = String, format = DateTime)]
    created_on: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_on: Timestamp,
}

/// How many of each a service has.
#[derive(Serialize, ToSchema)]
#[schema(as = ServiceCounts)]
struct CountsView {
    /// Experts that it may use.
    #[schema(example = 1)]
    experts: u64,
    /// Workflows that it sees.
    #[schema(example = 4)]
    workflows: u64,
    #[schema(example = 2)]
    segments: u64,
    /// End users that it was met with.
    #[schema(example = 310)]
    users: u64,
}

impl ServiceView {
    pub(crate) fn new(service: Service, counts: ServiceCounts) -> Self {
        let ServiceCounts { experts, workflows, segments, users } = counts;
        Self {
            id: service.id,
            name: service.name,
            environment: service.environment,
            api_key_last4: service.api_key_last4,
            previous_key_expires_at: service.previous_key_expires_at,
            counts: CountsView { experts, workflows, segments, users },
            created_on: service.created_on,
            updated_on: service.updated_on,
        }
    }
}

/// A service to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateService {
    /// 1 to 200 characters, unique in the team and environment.
    #[serde(default)]
    #[schema(required = true, min_length = 1, max_length = 200, example = "Web shop")]
    name: String,
    /// Where it calls from: each environment has a service, and so a key, of its own.
    #[schema(required = true, value_type = EnvironmentDoc)]
    environment: Option<Environment>,
}

impl CreateService {
    /// The service that is meant, or every mistake.
    pub(crate) fn check(self, id: ServiceId) -> Result<NewService, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        check_name(&self.name, &mut mistakes);
        if self.environment.is_none() {
            mistakes.push(FieldError::new("/environment", "missing", "One of dev, stage and prod."));
        }
        let environment = self.environment.filter(|_| mistakes.is_empty()).ok_or(mistakes)?;
        Ok(NewService { id, name: self.name, environment })
    }
}

/// What to change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateService {
    /// 1 to 200 characters, unique in the team and environment.
    #[schema(min_length = 1, max_length = 200, example = "Web shop")]
    name: String,
}

impl UpdateService {
    /// The name, or what is wrong.
    pub(crate) fn check(self) -> Result<String, Vec<FieldError>> {
        let mut mistakes = Vec::new();
        check_name(&self.name, &mut mistakes);
        if mistakes.is_empty() { Ok(self.name) } else { Err(mistakes) }
    }
}
