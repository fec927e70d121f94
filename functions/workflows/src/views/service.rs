//! Services that see a workflow.

use catalog::WorkflowService;
use domain::{Environment, ServiceId};
use serde::Serialize;
use utoipa::ToSchema;

/// A service that sees a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeeingService {
    #[schema(value_type = Uuid)]
    id: ServiceId,
    #[schema(example = "Web shop")]
    name: String,
    /// `dev`, `stage` or `prod`.
    #[schema(value_type = String, example = "prod")]
    environment: Environment,
}

impl From<WorkflowService> for SeeingService {
    fn from(service: WorkflowService) -> Self {
        let WorkflowService { id, name, environment } = service;
        Self { id, name, environment }
    }
}
