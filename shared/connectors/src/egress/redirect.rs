//! Where a redirect leads and what goes along (RFC 9110, section 15.4).

use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use url::Url;

use super::{
    client::{Request, host_of},
    error::{EgressError, Refusal},
};

/// The headers that go along to another origin. All others stay behind, not only the well-known credentials: any header of a
/// node may hold a secret.
const HARMLESS: [HeaderName; 6] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::USER_AGENT,
    HeaderName::from_static("idempotency-key"),
];

/// The request that a response asks to make instead; None if it is no redirect. The URL is not checked yet, but for one thing
/// that only shows here: what began encrypted is not carried on in clear.
pub(super) fn next_hop(
    request: &Request,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Request>, EgressError> {
    let (true, Some(location)) = (is_redirect(status), headers.get(header::LOCATION)) else {
        return Ok(None);
    };
    let host = host_of(&request.url);
    let target =
        std::str::from_utf8(location.as_bytes()).ok().and_then(|target| request.url.join(target).ok());
    let Some(url) = target else { return Err(EgressError::BadRedirect { host }) };
    if request.url.scheme() == "https" && url.scheme() == "http" {
        let text = format!("{host} redirects from https to http");
        return Err(Refusal::new("downgrade", text).into());
    }
    let mut next = Request { url, ..request.clone() };
    if becomes_get(status, &request.method) {
        drop_content(&mut next);
    }
    if !same_origin(&request.url, &next.url) {
        next.headers = harmless(&next.headers);
    }
    Ok(Some(next))
}

/// 300 and 304 offer no single other place.
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::SEE_OTHER => *method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
        _ => false,
    }
}

fn drop_content(request: &mut Request) {
    request.method = Method::GET;
    request.body.clear();
    for name in
        [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE, header::CONTENT_LOCATION]
    {
        request.headers.remove(name);
    }
}

fn same_origin(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin()
}

fn harmless(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in HARMLESS {
        for value in headers.get_all(&name) {
            kept.append(&name, value.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderValue;

    use super::*;

    fn request(method: Method, url: &str) -> Request {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer secret"),
            ("cookie", "a=b"),
            ("x-api-key", "secret"),
            ("x-of-the-author", "who knows"),
            ("accept", "application/json"),
            ("content-type", "application/json"),
            ("idempotency-key", "r:n:0"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Request { method, url: url.parse().unwrap(), headers, body: Bytes::from_static(b"{}") }
    }

    fn hop(request: &Request, status: u16, location: &str) -> Result<Option<Request>, EgressError> {
        let headers = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_str(location).unwrap())]);
        next_hop(request, StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn the_method_follows_rfc_9110() {
        for (status, before, after, keeps_body) in [
            (301, Method::POST, Method::GET, false),
            (302, Method::POST, Method::GET, false),
            (301, Method::PUT, Method::PUT, true),
            (302, Method::PATCH, Method::PATCH, true),
            (303, Method::POST, Method::GET, false),
            (303, Method::DELETE, Method::GET, false),
            (307, Method::POST, Method::POST, true),
            (308, Method::PUT, Method::PUT, true),
        ] {
            let next = hop(&request(before, "https://a.example/x"), status, "/y").unwrap().unwrap();
            assert_eq!(next.method, after, "{status}");
            assert_eq!(next.url.as_str(), "https://a.example/y");
            assert_eq!(!next.body.is_empty(), keeps_body, "{status}");
            assert_eq!(next.headers.contains_key(header::CONTENT_TYPE), keeps_body, "{status}");
            assert!(next.headers.contains_key("authorization"), "the origin is the same");
        }
    }

    #[test]
    fn only_harmless_headers_go_to_another_origin() {
        let post = request(Method::POST, "http://a.example/x");
        for elsewhere in
            ["http://b.example/", "http://a.example:81/", "https://a.example/", "//sub.a.example/"]
        {
            let next = hop(&post, 307, elsewhere).unwrap().unwrap();
            let names: Vec<_> = next.headers.keys().map(HeaderName::as_str).collect();
            assert_eq!(names, ["accept", "content-type", "idempotency-key"], "{elsewhere}");
        }
    }

    #[test]
    fn what_began_encrypted_is_not_carried_on_in_clear() {
        let error = hop(&request(Method::GET, "https://a.example/"), 302, "http://a.example/").unwrap_err();
        assert_eq!(error.to_string(), "a.example redirects from https to http (rule: downgrade)");
    }

    #[test]
    fn other_answers_are_no_redirects() {
        let get = request(Method::GET, "https://a.example/");
        for status in [200, 201, 300, 304, 404] {
            assert_eq!(hop(&get, status, "/y").unwrap(), None, "{status}");
        }
        assert_eq!(next_hop(&get, StatusCode::FOUND, &HeaderMap::new()).unwrap(), None);
        assert_eq!(hop(&get, 302, "http://[").unwrap_err().code(), "bad_redirect");
    }
}
