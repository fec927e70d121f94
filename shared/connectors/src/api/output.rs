//! What a node makes of a response: `{status, headers, body}`.
//!
//! - `headers`: names in lower case; several values of one name are joined with `, `. `set-cookie` is left out: a session that the
//!   other side opens is a secret, and outputs are stored.
//! - `body`: null where empty; the JSON where the type is `application/json` or ends with `+json`; else a text where the
//!   bytes are UTF-8; else `{"base64": "…"}`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::{Buf as _, Bytes};
use domain::{ErrorClass, Failure};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

/// The output of a node whose request succeeded. `host` is for the message of a failure.
pub(super) fn of(status: StatusCode, headers: &HeaderMap, body: Bytes, host: &str) -> Result<Value, Failure> {
    let mut output = json!({ "status": status.as_u16(), "headers": joined(headers) });
    // Moved in, where `json!` would copy it.
    output["body"] = value(headers, body, host)?;
    Ok(output)
}

fn value(headers: &HeaderMap, mut body: Bytes, host: &str) -> Result<Value, Failure> {
    let permanent = |code, message| Err(Failure::new(ErrorClass::Permanent, code, message));
    if body.is_empty() {
        return Ok(Value::Null);
    }
    if is_encoded(headers) {
        return permanent(
            "content_encoding",
            format!("{host} answered with an encoding that was not asked for"),
        );
    }
    if body.starts_with("\u{feff}".as_bytes()) {
        body.advance("\u{feff}".len());
    }
    if media_type(headers).is_some_and(|media_type| is_json(&media_type)) {
        // Where it breaks is told, what stands there is not.
        return serde_json::from_slice(&body).or_else(|error| {
            let (line, column) = (error.line(), error.column());
            permanent(
                "invalid_json",
                format!("{host} answered JSON that breaks at line {line}, column {column}"),
            )
        });
    }
    Ok(match String::from_utf8(body.into()) {
        Ok(text) => text.into(),
        Err(binary) => {
            let base64 = BASE64_STANDARD.encode(binary.as_bytes());
            Map::from_iter([("base64".to_owned(), base64.into())]).into()
        }
    })
}

/// Whether the body is packed although [`Egress`](crate::egress::Egress) asks for `identity`.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_ENCODING).iter().any(|encoding| encoding != "identity")
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type.ends_with("+json")
}

/// The type of a message's content in lower case, without parameters such as `charset`.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    content_type.split(';').next().map(|media_type| media_type.trim().to_ascii_lowercase())
}

fn joined(headers: &HeaderMap) -> Map<String, Value> {
    let names = headers.keys().filter(|name| **name != header::SET_COOKIE);
    names
        .map(|name| {
            let values = headers.get_all(name).iter();
            let texts: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            (name.as_str().to_owned(), texts.join(", ").into())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn output(headers: &[(&'static str, &'static str)], body: &'static [u8]) -> Result<Value, Failure> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        of(StatusCode::OK, &map, Bytes::from_static(body), "a.example")
    }

    #[test]
    fn the_body_is_json_text_or_base64() {
        let json_type = ("content-type", "Application/JSON; charset=utf-8");
        for (headers, body, value) in [
            (vec![json_type], b"{\"a\":[1]}".as_slice(), json!({ "a": [1] })),
            (vec![("content-type", "application/problem+json")], b"7", json!(7)),
            (vec![json_type], b"\xef\xbb\xbf7", json!(7)),
            (vec![json_type], b"", Value::Null),
            (vec![("content-type", "text/plain")], "grün".as_bytes(), json!("grün")),
            (vec![], b"{\"a\":1}", json!("{\"a\":1}")),
            (vec![("content-type", "image/png")], b"\x89PNG", json!({ "base64": "iVBORw==" })),
            (vec![("content-encoding", "identity")], b"x", json!("x")),
        ] {
            assert_eq!(output(&headers, body).unwrap()["body"], value, "{headers:?}");
        }
    }

    #[test]
    fn what_can_not_be_read_is_permanent_and_not_repeated() {
        let failure = output(&[("content-type", "application/json")], b"{\"secret\": ").unwrap_err();
        assert_eq!(failure.class, ErrorClass::Permanent);
        assert_eq!(failure.code, "invalid_json");
        assert_eq!(failure.message, "a.example answered JSON that breaks at line 1, column 11");
        assert_eq!(output(&[("content-encoding", "gzip")], b"x").unwrap_err().code, "content_encoding");
    }

    #[test]
    fn headers_are_joined_and_cookies_left_out() {
        let headers =
            [("vary", "accept"), ("set-cookie", "session=secret"), ("vary", "origin"), ("etag", "\"1\"")];
        let expected = json!({ "vary": "accept, origin", "etag": "\"1\"" });
        assert_eq!(output(&headers, b"").unwrap()["headers"], expected);
    }
}
