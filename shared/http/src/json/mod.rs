//! JSON in and out. What comes in is checked before it is parsed, so that no body can cost more than its size.

mod mistakes;
mod nullable;
mod scan;

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, OptionalFromRequest, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::timeout;

pub use nullable::Nullable;

use crate::{ApiError, Code};

/// The most bytes of a JSON body.
pub const JSON_LIMIT: usize = 1024 * 1024;

const LIMIT: u64 = JSON_LIMIT as u64;

/// The most bytes of a refused body that are read and thrown away, so that the client can read its answer.
const MOST_DISCARDED: usize = 32 * JSON_LIMIT;

/// How long that may take.
const DISCARDING: Duration = Duration::from_secs(5);

/// How deep a JSON body may nest.
pub const MAX_DEPTH: usize = 64;

/// A JSON body. As an extractor it refuses, each with its own problem: another media type (415), more than [`JSON_LIMIT`]
/// bytes whatever `Content-Length` says (413), what is not UTF-8 or not JSON or nests deeper than [`MAX_DEPTH`] (400), and
/// what does not fit `T` (422, naming the places). `Option<Json<T>>` takes an empty body as None.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        expect_json(request.headers())?;
        Self::from_bytes(&read(request).await?)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, ApiError> {
        let media_type = expect_json(request.headers());
        let body = read(request).await?;
        if body.is_empty() {
            return Ok(None);
        }
        media_type?;
        Self::from_bytes(&body).map(Some)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => ApiError::internal(error).into_response(),
        }
    }
}

impl<T: DeserializeOwned> Json<T> {
    /// Reads an object from a body, or from a file that is to be judged as a body would be. Refuses as the extractor does what is
    /// not of the form.
    pub fn from_bytes(body: &[u8]) -> Result<Self, ApiError> {
        scan::check(body)?;
        let error = match serde_json::from_slice(body) {
            Ok(value) if is_object(body) => return Ok(Self(value)),
            Ok(_) => return Err(ApiError::validation(vec![mistakes::not_an_object()])),
            Err(error) => error,
        };
        // Only what is JSON at all can be of the wrong form.
        let value = serde_json::from_slice(body)
            .map_err(|error| ApiError::new(Code::InvalidJson, sentence(&error)))?;
        Err(ApiError::validation(mistakes::all::<T>(value, &error)))
    }
}

/// Whether the body is an object, as all bodies of this API are. serde would take an array of an object's fields in their order.
fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    format!("Line {}, column {}: {what}.", error.line(), error.column())
}

fn expect_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    let essence = parts.next().unwrap_or_default();
    let is_json =
        essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json");
    let is_utf8 = parts.filter_map(|part| Some(part.strip_prefix("charset=")?.trim_matches('"').to_owned()));
    if is_json && is_utf8.into_iter().all(|charset| charset == "utf-8" || charset == "us-ascii") {
        Ok(())
    } else {
        Err(ApiError::new(Code::UnsupportedMediaType, "Send the body as application/json in UTF-8."))
    }
}

/// The whole body, of [`JSON_LIMIT`] bytes at the most.
pub(crate) async fn read(request: Request) -> Result<Vec<u8>, ApiError> {
    let headers = request.headers();
    let declared =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let (is_declared, waits) =
        (declared.is_some_and(|length| length > LIMIT), headers.contains_key(header::EXPECT));
    let mut body = request.into_body();
    if is_declared {
        // A client that asked first sends nothing after a refusal.
        if !waits {
            discard(&mut body).await;
        }
        return Err(too_large());
    }
    match Limited::new(&mut body, JSON_LIMIT).collect().await {
        Ok(read) => Ok(read.to_bytes().into()),
        Err(error) if is_length_limit(error.as_ref()) => {
            discard(&mut body).await;
            Err(too_large())
        }
        Err(_) => Err(ApiError::new(Code::UnreadableBody, "The body ended before it was complete.")),
    }
}

/// Reads what is left of a body that was refused, within bounds. A connection that is closed while the client still sends is reset, and
/// then the client never gets to read why.
async fn discard(body: &mut Body) {
    let discarding = async {
        let mut left = MOST_DISCARDED;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    // Whoever is slower is not waited for.
    let _ = timeout(DISCARDING, discarding).await;
}

fn is_length_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_length_limit)
}

fn too_large() -> ApiError {
    ApiError::new(Code::BodyTooLarge, format!("The body may have at most {JSON_LIMIT} bytes."))
}
