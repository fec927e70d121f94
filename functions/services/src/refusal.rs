//! What the rules of services refuse.

use app::ports::StoreError;
use heddle_http::{ApiError, Code};

/// The answer.
pub(crate) fn refused(error: StoreError) -> ApiError {
    let StoreError::Violates(rule) = &error else { return error.into() };
    match rule.as_str() {
        "uq_services_team_id_name_environment" => {
            ApiError::new(Code::Taken, "Another service of this environment has the name.")
        }
        "uq_service_segments_service_id_name" => {
            ApiError::new(Code::Taken, "Another segment of the service has the name.")
        }
        // A service that the team does not have.
        "fk_service_segments_service_id" | "fk_service_users_service_id" => ApiError::not_found(),
        _ => error.into(),
    }
}
