//! Headers that every answer carries (api.md, Headers).

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// The header that names the request, on every answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Completes the headers of an answer. What a handler set itself stays, which is how a public document may be cached.
pub(crate) fn complete(headers: &mut HeaderMap, request_id: &str) {
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, id);
    }
}
