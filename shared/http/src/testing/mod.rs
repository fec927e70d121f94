//! For router tests of API functions: calls with readable answers, credentials, real API Gateway events, a table of hostile bodies, and
//! checks that hold for every OpenAPI document.

mod hostile;
mod openapi;
mod passes;

use axum::{Router, body::Body};
use domain::Problem;
use http::{HeaderMap, Request, StatusCode, header};
use lambda_http::{Context, LambdaEvent};
use serde_json::Value;
use tower::ServiceExt as _;

pub use hostile::{HostileBody, hostile_bodies};
pub use openapi::check_openapi;
pub use passes::{Passes, by_token, for_team};

use crate::{PROBLEM_JSON, lambda};

/// An answer with its body read.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null where it is empty, a string where it is not JSON.
    pub body: Value,
}

impl Answer {
    /// The status as a number.
    pub fn code(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header's text; empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The problem that this is, after checking that it is one in every respect.
    pub fn problem(&self) -> Problem {
        assert_eq!(self.header("content-type"), PROBLEM_JSON, "{self:?}");
        let problem: Problem = serde_json::from_value(self.body.clone()).expect("a problem");
        assert_eq!(problem.status, self.code());
        assert_eq!(problem.instance.as_deref(), Some(self.header("x-request-id")));
        problem
    }

    /// The problem's code.
    pub fn problem_code(&self) -> String {
        let problem = self.problem();
        problem.kind.strip_prefix("/problems/").expect("a type under /problems").to_owned()
    }
}

/// A request without a body, as the service with `key`; as nobody with an empty one.
pub fn request(method: &str, path: &str, key: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !key.is_empty() {
        request = request.header("x-api-key", key);
    }
    request.body(Body::empty()).expect("a well-formed request")
}

/// A request with a JSON body, as the service with `key`.
pub fn request_with(method: &str, path: &str, key: &str, body: &Value) -> Request<Body> {
    let mut request = request(method, path, key);
    request.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    *request.body_mut() = Body::from(body.to_string());
    request
}

/// Sends a request to a router.
pub async fn call(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("routers don't fail");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a complete body");
    let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).unwrap_or_else(|_| text())
    };
    Answer { status: parts.status, headers: parts.headers, body }
}

/// Sends an API Gateway event (payload format 2.0) through the whole way that an invocation takes, and gives what is
/// returned to API Gateway: `{statusCode, headers, body, …}`.
pub async fn through_api_gateway(router: Router, event: &str) -> Value {
    let payload = serde_json::from_str(event).expect("an API Gateway event");
    let answer = lambda::service(router).oneshot(LambdaEvent::new(payload, Context::default())).await;
    serde_json::to_value(answer.expect("routers don't fail")).expect("an answer is JSON")
}
