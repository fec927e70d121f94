//! `Idempotency-Key`: the name a client gives to a request, so that sending it twice does it once.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::{ApiError, Code};

/// The key of this request, if the client gave one: 1 to 255 visible ASCII characters, taken as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut keys = parts.headers.get_all("idempotency-key").iter();
        match (keys.next(), keys.next()) {
            (None, _) => Ok(Self(None)),
            (Some(key), None) if is_key(key.as_bytes()) => {
                Ok(Self(Some(String::from_utf8_lossy(key.as_bytes()).into_owned())))
            }
            _ => Err(ApiError::new(
                Code::InvalidHeader,
                "Idempotency-Key takes 1 to 255 visible ASCII characters, once.",
            )),
        }
    }
}

fn is_key(key: &[u8]) -> bool {
    (1..=255).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_visible_and_not_too_long() {
        assert!(is_key(b"a") && is_key(&[b'~'; 255]));
        for bad in [&b""[..], b"a b", b"\xc3\xa9", &[b'a'; 256]] {
            assert!(!is_key(bad), "{bad:?}");
        }
    }
}
