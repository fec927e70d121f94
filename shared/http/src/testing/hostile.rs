//! Bodies that no route may choke on.

use axum::body::{Body, Bytes};
use futures::stream;
use http::{Request, header};

use crate::JSON_LIMIT;

/// A body and what any route that takes JSON must answer to it.
pub struct HostileBody {
    /// What it is, for messages.
    pub name: &'static str,
    /// The status it gets.
    pub status: u16,
    /// The problem's code.
    pub code: &'static str,
    content_type: &'static str,
    declared: Option<usize>,
    bytes: Bytes,
}

impl HostileBody {
    /// A request that carries it.
    pub fn request(&self, method: &str, path: &str, key: &str) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if !key.is_empty() {
            request = request.header("x-api-key", key);
        }
        if !self.content_type.is_empty() {
            request = request.header(header::CONTENT_TYPE, self.content_type);
        }
        if let Some(length) = self.declared {
            request = request.header(header::CONTENT_LENGTH, length);
        }
        // In pieces, so that the size is not known before the body is read.
        let pieces: Vec<_> = self.bytes.chunks(64 * 1024).map(|piece| self.bytes.slice_ref(piece)).collect();
        let pieces = stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
        request.body(Body::from_stream(pieces)).expect("a well-formed request")
    }
}

/// The table. Bodies of the wrong form for a certain route are that route's own to test.
pub fn hostile_bodies() -> Vec<HostileBody> {
    const JSON: &str = "application/json";
    let row = |name, status, code, content_type, bytes: Vec<u8>| HostileBody {
        name,
        status,
        code,
        content_type,
        declared: None,
        bytes: bytes.into(),
    };
    let nested = |open: &str, size: usize| open.repeat(size / open.len()).into_bytes();
    vec![
        row("1 MB of nested arrays", 400, "json_too_deep", JSON, nested("[", 1_000_000)),
        row("1 MB of nested objects", 400, "json_too_deep", JSON, nested("{\"a\":", 1_000_000)),
        row("65 levels", 400, "json_too_deep", JSON, [nested("[", 65), nested("]", 65)].concat()),
        row("10 MB", 413, "body_too_large", JSON, vec![b' '; 10_000_000]),
        row("one byte too many", 413, "body_too_large", JSON, vec![b' '; JSON_LIMIT + 1]),
        HostileBody {
            declared: Some(10),
            ..row("10 MB that claim to be 10 bytes", 413, "body_too_large", JSON, vec![b' '; 10_000_000])
        },
        HostileBody {
            declared: Some(10_000_000),
            ..row("claims to be 10 MB", 413, "body_too_large", JSON, b"{}".to_vec())
        },
        row("invalid UTF-8", 400, "invalid_utf8", JSON, b"{\"name\": \"\xff\xfe\"}".to_vec()),
        row("not JSON", 400, "invalid_json", JSON, b"{name: 'x'}".to_vec()),
        row("cut off", 400, "invalid_json", JSON, b"{\"name\": \"x".to_vec()),
        row("two values", 400, "invalid_json", JSON, b"{} {}".to_vec()),
        row("NUL in a string", 400, "invalid_json", JSON, br#"{"name": "\u0000"}"#.to_vec()),
        row("half a surrogate pair", 400, "invalid_json", JSON, br#"{"name": "\ud800"}"#.to_vec()),
        row("a number beyond f64", 400, "invalid_json", JSON, br#"{"name": 1e999}"#.to_vec()),
        row("no media type", 415, "unsupported_media_type", "", b"{}".to_vec()),
        row("a form", 415, "unsupported_media_type", "application/x-www-form-urlencoded", b"name=x".to_vec()),
        row(
            "another charset",
            415,
            "unsupported_media_type",
            "application/json; charset=utf-16",
            b"{}".to_vec(),
        ),
        row(
            "an array in place of an object",
            422,
            "validation",
            JSON,
            br#"["a", "b", {}, false, [], {}]"#.to_vec(),
        ),
        row("not an object", 422, "validation", JSON, b"3".to_vec()),
        row("an unknown field", 422, "validation", JSON, br#"{"no_such_field": 1}"#.to_vec()),
    ]
}
