//! What a `post_api` sends.
//!
//! | `body` | `Content-Type` of the node | sent |
//! |---|---|---|
//! | absent or null | any | nothing |
//! | text | given | the text as it is |
//! | object | `application/x-www-form-urlencoded` | a form; lists repeat their name |
//! | other | given | JSON, under that type |
//! | any | not given | JSON, as `application/json` |
//!
//! So a text without a `Content-Type` becomes a JSON string, and a text that is JSON already goes out as it is once the node says
//! `Content-Type: application/json`.

use bytes::Bytes;
use domain::Failure;
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{
    fields::{optional, pairs},
    output::media_type,
};

/// The body's bytes; sets the `Content-Type` where the author gave none.
pub(super) fn of(metadata: &Map<String, Value>, headers: &mut HeaderMap) -> Result<Bytes, Failure> {
    let Some(body) = optional(metadata, "body") else { return Ok(Bytes::new()) };
    let given = media_type(headers);
    match (body, given.as_deref()) {
        (Value::String(text), Some(_)) => Ok(text.clone().into()),
        (Value::Object(_), Some("application/x-www-form-urlencoded")) => {
            let pairs = pairs(metadata, "body")?;
            Ok(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into())
        }
        (_, given) => {
            if given.is_none() {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            Ok(body.to_string().into())
        }
    }
}
