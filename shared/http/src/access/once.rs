//! A request that comes twice is done once (api.md, Idempotency).

use app::ports::{ANSWER_MAX, Begun, KeptAnswer};
use axum::{
    body::Body,
    extract::{FromRequestParts as _, Request},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};

use super::{Caller, Gate, Member};
use crate::{ApiError, Code, IdempotencyKey, json};

/// Fields that belong to an answer, and not to the request that it is given to.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];

/// Says that an answer is one that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Does what the request asks for, unless its key says that this was done before. Refusals are not kept: what was refused may be
/// tried again. Where answers can't be looked up, a request with a key is not done.
pub(super) async fn once(gate: &Gate, mut parts: Parts, body: Body, next: Next) -> Response {
    let key = match IdempotencyKey::from_request_parts(&mut parts, &()).await {
        Ok(IdempotencyKey(Some(key))) => key,
        Ok(IdempotencyKey(None)) => return next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => return refusal.into_response(),
    };
    let read = match json::read(Request::from_parts(parts.clone(), body)).await {
        Ok(read) => read,
        Err(refusal) => return refusal.into_response(),
    };
    match begun(gate, &parts, &key, &read).await {
        Ok(place) => done(gate, place, next.run(Request::from_parts(parts, read.into())).await).await,
        Err(answer) => *answer,
    }
}

/// The name of a request's place: a digest, since paths are as long as clients make them.
pub(super) fn place_of(whose: &str, method: &str, path: &str, key: &str) -> String {
    hex::encode(Sha256::digest(format!("{whose}/{method} {path}/{key}")))
}

/// Where the answer of a request goes.
struct Place {
    key: String,
    request: [u8; 32],
}

/// The place for the answer of a request that is to be done now; else the answer itself.
async fn begun(gate: &Gate, parts: &Parts, key: &str, body: &[u8]) -> Result<Place, Box<Response>> {
    let place = Place {
        key: place_of(&whose(parts), parts.method.as_str(), parts.uri.path(), key),
        request: Sha256::digest(body).into(),
    };
    let begun = gate.ports.answers.begin(&place.key, place.request, gate.ports.clock.now()).await;
    Err(Box::new(match begun {
        Ok(Begun::First) => return Ok(place),
        Ok(Begun::Answered(answer)) => replayed(answer),
        Ok(Begun::UnderWay) => under_way().into_response(),
        Ok(Begun::Other) => reused().into_response(),
        Err(error) => ApiError::unavailable(error).into_response(),
    }))
}

fn under_way() -> ApiError {
    const WAIT: &str = "This request is being done. Repeat it in a moment for its answer.";
    ApiError::new(Code::RequestUnderWay, WAIT).with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn reused() -> ApiError {
    ApiError::new(
        Code::IdempotencyKeyReused,
        "This Idempotency-Key stands for another request. Use a new key.",
    )
}

/// Keys of one caller mean nothing to another.
fn whose(parts: &Parts) -> String {
    match (parts.extensions.get::<Caller>(), parts.extensions.get::<Member>()) {
        (Some(caller), _) => format!("{}/{}", caller.team_id, caller.id()),
        (None, Some(Member(claims))) => claims.member_id.to_string(),
        (None, None) => String::new(),
    }
}

/// Keeps the answer, if it is one to keep. What was done is done: a store that fails now costs no more than the next one like it.
async fn done(gate: &Gate, place: Place, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return ApiError::internal("an answer could not be read").into_response();
    };
    let answers = gate.ports.answers.as_ref();
    let kept = if parts.status.is_success() && body.len() <= ANSWER_MAX {
        let field = |name: &HeaderName| {
            let value = parts.headers.get(name)?.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        };
        let headers = KEPT.iter().filter_map(field).collect();
        let answer = KeptAnswer { status: parts.status.as_u16(), headers, body: body.to_vec() };
        answers.keep(&place.key, place.request, &answer, gate.ports.clock.now()).await
    } else {
        answers.let_go(&place.key, place.request).await
    };
    if let Err(error) = kept {
        tracing::warn!(error = runtime::log::chain(&error), "an answer was not kept");
    }
    Response::from_parts(parts, body.into())
}

fn replayed(answer: KeptAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_apart_and_short_however_long_the_path() {
        let long = format!("/api/v1/workflows/{}/publish", "x".repeat(10_000));
        let places = [
            place_of("a", "POST", &long, "k"),
            place_of("b", "POST", &long, "k"),
            place_of("a", "POST", &long, "l"),
        ];
        assert!(places.iter().all(|place| place.len() == 64));
        assert!(places[0] != places[1] && places[0] != places[2]);
    }
}
