//! From a node's metadata to the request it means.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use domain::Failure;
use engine::Call;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Map, Value};
use url::Url;

use super::{
    body,
    fields::{entries, invalid, optional, pairs, scalar, text},
    status::Success,
};
use crate::egress::Request;

const MAX_BYTES_DEFAULT: usize = 10 * 1000 * 1000;
const MAX_BYTES: usize = 100 * 1000 * 1000;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Headers that describe the connection or the message (RFC 9110, sections 7.2 and 7.6.1), or that Heddle gives.
const NOT_THE_AUTHORS: [HeaderName; 12] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
    header::CONTENT_LENGTH,
    IDEMPOTENCY_KEY,
];

/// Which of the two types a node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeType {
    /// `get_api`: reads.
    Get,
    /// `post_api`: changes something, so every attempt carries the same `Idempotency-Key`.
    Post,
}

/// What a node asks for.
#[derive(Debug)]
pub(super) struct ApiRequest {
    pub(super) request: Request,
    pub(super) success: Success,
    pub(super) max_bytes: usize,
}

impl ApiRequest {
    /// Reads the metadata of a call; its first mistake is a `validation` failure.
    pub(super) fn of(call: &Call, node_type: NodeType) -> Result<Self, Failure> {
        let metadata = call.config.as_object().ok_or_else(|| invalid("metadata", "must be an object"))?;
        let mut headers = headers(metadata)?;
        authenticate(&mut headers, metadata)?;
        let (method, body) = match node_type {
            NodeType::Get => (Method::GET, Bytes::new()),
            NodeType::Post => {
                headers.insert(IDEMPOTENCY_KEY, header_value(&call.idempotency_key, "idempotency_key")?);
                (method(metadata)?, body::of(metadata, &mut headers)?)
            }
        };
        let request = Request { method, url: url(metadata)?, headers, body };
        let success = Success::of(optional(metadata, "success"))?;
        Ok(Self { request, success, max_bytes: max_bytes(metadata)? })
    }
}

fn url(metadata: &Map<String, Value>) -> Result<Url, Failure> {
    let text = text(metadata, "url", "url")?;
    let mut url = Url::parse(text).map_err(|_| invalid("url", "must be an absolute URL"))?;
    let pairs = pairs(metadata, "query")?;
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(url)
}

fn method(metadata: &Map<String, Value>) -> Result<Method, Failure> {
    match optional(metadata, "method").map(Value::as_str) {
        None | Some(Some("POST")) => Ok(Method::POST),
        Some(Some("PUT")) => Ok(Method::PUT),
        Some(Some("PATCH")) => Ok(Method::PATCH),
        Some(Some("DELETE")) => Ok(Method::DELETE),
        Some(_) => Err(invalid("method", "must be POST, PUT, PATCH or DELETE")),
    }
}

fn headers(metadata: &Map<String, Value>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in entries(metadata, "headers")?.filter(|(_, value)| !value.is_null()) {
        let path = format!("headers.{name}");
        let value = scalar(value).ok_or_else(|| invalid(&path, "must be a text"))?;
        headers.insert(header_name(name, &path)?, header_value(&value, &path)?);
    }
    Ok(headers)
}

fn authenticate(headers: &mut HeaderMap, metadata: &Map<String, Value>) -> Result<(), Failure> {
    let Some(auth) = optional(metadata, "auth") else { return Ok(()) };
    let auth = auth.as_object().ok_or_else(|| invalid("auth", "must be an object"))?;
    let (name, value) = match optional(auth, "type").and_then(Value::as_str) {
        Some("bearer") => {
            let token = text(auth, "token", "auth.token")?;
            (header::AUTHORIZATION, header_value(&format!("Bearer {token}"), "auth.token")?)
        }
        Some("basic") => (header::AUTHORIZATION, basic(auth)?),
        Some("header") => {
            let name = header_name(text(auth, "name", "auth.name")?, "auth.name")?;
            (name, header_value(text(auth, "value", "auth.value")?, "auth.value")?)
        }
        _ => return Err(invalid("auth.type", "must be bearer, basic or header")),
    };
    headers.insert(name, value);
    Ok(())
}

/// RFC 7617: the first colon ends the name.
fn basic(auth: &Map<String, Value>) -> Result<HeaderValue, Failure> {
    let username = text(auth, "username", "auth.username")?;
    if username.contains(':') {
        return Err(invalid("auth.username", "must not hold a colon"));
    }
    let password = text(auth, "password", "auth.password")?;
    let credentials = BASE64_STANDARD.encode(format!("{username}:{password}"));
    header_value(&format!("Basic {credentials}"), "auth")
}

fn header_name(name: &str, path: &str) -> Result<HeaderName, Failure> {
    let name = HeaderName::try_from(name).map_err(|_| invalid(path, "is not a header name"))?;
    if NOT_THE_AUTHORS.contains(&name) {
        return Err(invalid(path, "is a header that is set for you and can't be given"));
    }
    Ok(name)
}

/// Marked as sensitive, so that no debug output prints it and HTTP/2 keeps it out of its tables.
fn header_value(value: &str, path: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(value).map_err(|_| invalid(path, "can't stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn max_bytes(metadata: &Map<String, Value>) -> Result<usize, Failure> {
    let Some(value) = optional(metadata, "max_bytes") else { return Ok(MAX_BYTES_DEFAULT) };
    value
        .as_u64()
        .and_then(|bytes| usize::try_from(bytes).ok())
        .filter(|bytes| (1..=MAX_BYTES).contains(bytes))
        .ok_or_else(|| invalid("max_bytes", "must be a whole number from 1 to 100000000"))
}
