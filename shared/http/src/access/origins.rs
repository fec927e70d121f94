//! Pages of other origins that may call (SEC-03): an exact list of the deployment, empty unless it says otherwise.

use std::{str::FromStr, time::Duration};

use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::CorsLayer;

/// How long a browser remembers that it may.
const REMEMBERED: Duration = Duration::from_hours(1);

const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

const TAKEN: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("prefer"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-csrf-token"),
    HeaderName::from_static("x-team-id"),
];

const SHOWN: [HeaderName; 9] = [
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RETRY_AFTER,
    HeaderName::from_static("idempotency-replayed"),
    HeaderName::from_static("preference-applied"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("x-request-id"),
];

/// Origins such as `https://studio.example.com`, with commas between them. Anything that is not one is refused, `*` too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<HeaderValue>);

/// What is no list of origins; names the first that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an origin such as https://studio.example.com")]
pub struct NotAnOrigin(String);

impl FromStr for Origins {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        origins.map(origin).collect::<Result<_, _>>().map(Self)
    }
}

fn origin(text: &str) -> Result<HeaderValue, NotAnOrigin> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = |host: &str| {
        !host.is_empty()
            && host.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-:[]".contains(c))
    };
    let value = rest.filter(|host| is_plain(host)).and_then(|_| HeaderValue::try_from(text).ok());
    value.ok_or_else(|| NotAnOrigin(text.to_owned()))
}

impl Origins {
    /// What answers the browsers of these pages; None where there are none.
    pub(crate) fn layer(&self) -> Option<CorsLayer> {
        let layer = CorsLayer::new()
            .allow_origin(self.0.clone())
            .allow_credentials(true)
            .allow_methods(METHODS)
            .allow_headers(TAKEN)
            .expose_headers(SHOWN)
            .max_age(REMEMBERED);
        (!self.0.is_empty()).then_some(layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_origins_are_taken() {
        assert_eq!("".parse(), Ok(Origins::default()));
        let two: Origins = "https://studio.example.com, http://localhost:5173".parse().unwrap();
        assert_eq!(two.0.len(), 2);
        for bad in [
            "*",
            "null",
            "https://",
            "studio.example.com",
            "https://a.example/",
            "https://*.example",
            "https://A.example",
        ] {
            assert_eq!(bad.parse::<Origins>(), Err(NotAnOrigin(bad.to_owned())));
        }
    }
}
