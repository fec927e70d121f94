//! Who calls: the service whose API key came with the request. The only source of a request's team.

use std::sync::Arc;

use app::ports::{ApiKeys, ServiceCaller};
use axum::extract::{FromRef, FromRequestParts};
use domain::{Environment, ServiceId, TeamId};
use http::{HeaderMap, request::Parts};
use runtime::scope;
use sha2::{Digest as _, Sha256};

use crate::ApiError;

/// A service that showed a valid key in `X-API-Key`. No key, several keys and an unknown key are the same 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The team it acts for.
    pub team_id: TeamId,
    /// The service.
    pub service_id: ServiceId,
    /// The environment its key is for.
    pub environment: Environment,
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Arc<dyn ApiKeys>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let key = only_key(&parts.headers).ok_or_else(ApiError::unauthorized)?;
        let keys = Arc::<dyn ApiKeys>::from_ref(state);
        let service = keys.service_by_key(Sha256::digest(key).into()).await?;
        let ServiceCaller { team_id, service_id, environment } =
            service.ok_or_else(ApiError::unauthorized)?;
        scope::set_team(team_id);
        Ok(Self { team_id, service_id, environment })
    }
}

fn only_key(headers: &HeaderMap) -> Option<&[u8]> {
    let mut keys = headers.get_all("x-api-key").iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) if !key.is_empty() => Some(key.as_bytes()),
        _ => None,
    }
}
