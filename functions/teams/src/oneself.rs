//! People who act in no team.

use catalog::Member;
use heddle_http::{ApiError, ApiResult};

use crate::State;

/// The person with this token, unless they were deactivated since they got it: it holds for some minutes more.
pub(crate) async fn person(s: &State, who: &heddle_http::Member) -> ApiResult<Member> {
    let person = s.catalog.get().await?.member_get(who.0.member_id).await?;
    if person.is_active { Ok(person) } else { Err(ApiError::unauthorized()) }
}
