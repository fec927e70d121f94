//! Refusals as `application/problem+json` (RFC 9457, API-03). The only place that knows which status a refusal has.

use std::borrow::Cow;

use app::ports::StoreError;
use axum::response::{IntoResponse, Response};
use domain::{FieldError, Problem};
use http::{HeaderName, HeaderValue, StatusCode, header};
use runtime::scope;

/// The media type of every refusal.
pub const PROBLEM_JSON: &str = "application/problem+json";

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The kinds of refusal. Each has a page under `docs/problems`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The body is not JSON.
    InvalidJson,
    /// The body is not UTF-8.
    InvalidUtf8,
    /// The body nests deeper than [`crate::MAX_DEPTH`].
    JsonTooDeep,
    /// The body ended early.
    UnreadableBody,
    /// A request header is malformed.
    InvalidHeader,
    /// No credential, or none that is known.
    Unauthorized,
    /// The caller may not do this.
    Forbidden,
    /// No such entity in the caller's team, or no such route.
    NotFound,
    /// The route exists for other methods.
    MethodNotAllowed,
    /// Someone else changed the entity at the same time.
    Conflict,
    /// The run has ended.
    RunEnded,
    /// The run has not ended.
    RunNotEnded,
    /// The run succeeded, so that there is nothing to go on from.
    NothingFailed,
    /// Nobody waits for this decision.
    NotAwaited,
    /// There is one already.
    Taken,
    /// A team keeps an owner.
    LastOwner,
    /// The workflow has no published version.
    NotPublished,
    /// The workflow is archived.
    WorkflowArchived,
    /// The same request is being done.
    RequestUnderWay,
    /// Something else needs the entity.
    InUse,
    /// No provider offers the expert's model.
    ModelNotOffered,
    /// `If-Match` names an older state of the entity.
    Stale,
    /// The body is larger than the route takes.
    BodyTooLarge,
    /// The body's media type is not JSON.
    UnsupportedMediaType,
    /// The input breaks rules, each of which is listed.
    Validation,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// Too many requests of this kind in too short a time.
    RateLimited,
    /// Our fault.
    Internal,
    /// A provider of models refused a question.
    ModelRefused,
    /// A part that is needed does not answer for now.
    Unavailable,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 30] = [
        Self::InvalidJson,
        Self::InvalidUtf8,
        Self::JsonTooDeep,
        Self::UnreadableBody,
        Self::InvalidHeader,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::RunEnded,
        Self::RunNotEnded,
        Self::NothingFailed,
        Self::NotAwaited,
        Self::Taken,
        Self::LastOwner,
        Self::NotPublished,
        Self::WorkflowArchived,
        Self::RequestUnderWay,
        Self::InUse,
        Self::ModelNotOffered,
        Self::Stale,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::Validation,
        Self::IdempotencyKeyReused,
        Self::RateLimited,
        Self::Internal,
        Self::ModelRefused,
        Self::Unavailable,
    ];

    /// The word for programs; the last part of the problem's `type`.
    pub const fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The HTTP status.
    pub const fn status(self) -> StatusCode {
        self.row().0
    }

    /// The kind in words, the same for every instance.
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::InvalidJson => (S::BAD_REQUEST, "invalid_json", "The body is not JSON"),
            Self::InvalidUtf8 => (S::BAD_REQUEST, "invalid_utf8", "The body is not UTF-8"),
            Self::JsonTooDeep => (S::BAD_REQUEST, "json_too_deep", "The body nests too deep"),
            Self::UnreadableBody => (S::BAD_REQUEST, "unreadable_body", "The body could not be read"),
            Self::InvalidHeader => (S::BAD_REQUEST, "invalid_header", "A request header is malformed"),
            Self::Unauthorized => (S::UNAUTHORIZED, "unauthorized", "A valid credential is needed"),
            Self::Forbidden => (S::FORBIDDEN, "forbidden", "Not allowed"),
            Self::NotFound => (S::NOT_FOUND, "not_found", "Not found"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed"),
            Self::Conflict => (S::CONFLICT, "conflict", "Changed by someone else"),
            Self::RunEnded => (S::CONFLICT, "run_ended", "The run has ended"),
            Self::RunNotEnded => (S::CONFLICT, "run_not_ended", "The run has not ended"),
            Self::NothingFailed => (S::CONFLICT, "nothing_failed", "The run succeeded"),
            Self::NotAwaited => (S::CONFLICT, "not_awaited", "Nobody waits for this decision"),
            Self::Taken => (S::CONFLICT, "taken", "There is one already"),
            Self::LastOwner => (S::CONFLICT, "last_owner", "A team keeps an owner"),
            Self::NotPublished => (S::CONFLICT, "not_published", "The workflow is not published"),
            Self::WorkflowArchived => (S::CONFLICT, "workflow_archived", "The workflow is archived"),
            Self::RequestUnderWay => (S::CONFLICT, "request_under_way", "The request is being done"),
            Self::InUse => (S::CONFLICT, "in_use", "Still in use"),
            Self::ModelNotOffered => (S::CONFLICT, "model_not_offered", "Nobody offers the model"),
            Self::Stale => (S::PRECONDITION_FAILED, "stale", "The entity has changed"),
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large"),
            Self::UnsupportedMediaType => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body's media type is not JSON")
            }
            Self::Validation => (S::UNPROCESSABLE_ENTITY, "validation", "The input is not valid"),
            Self::IdempotencyKeyReused => {
                (S::UNPROCESSABLE_ENTITY, "idempotency_key_reused", "The idempotency key was used before")
            }
            Self::RateLimited => (S::TOO_MANY_REQUESTS, "rate_limited", "Too many requests"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side"),
            Self::ModelRefused => (S::BAD_GATEWAY, "model_refused", "The provider of the model refused"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "Not available for now"),
        }
    }
}

/// A refusal on its way to the client.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Cause>,
}

impl ApiError {
    /// A refusal that says what happened this time. Never put a secret or another team's data into `detail`.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: vec![], headers: vec![], cause: None }
    }

    /// 401. Says nothing about why.
    pub fn unauthorized() -> Self {
        const HOW: &str = "Send an access token as a bearer token or a cookie, or the key of a service in the X-API-Key header.";
        Self::new(Code::Unauthorized, HOW).with_header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(r#"Bearer, ApiKey header="X-API-Key""#),
        )
    }

    /// 403. Says nothing about what would be needed.
    pub fn forbidden() -> Self {
        Self::new(Code::Forbidden, "This caller may not do this.")
    }

    /// 404. The same for what does not exist and for what is another team's.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing here.")
    }

    /// 422 with every mistake.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => one.detail.clone(),
            many => format!("{} mistakes were found.", many.len()),
        };
        Self { errors, ..Self::new(Code::Validation, detail) }
    }

    /// Lists what stands in the way.
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// 500. The cause is logged and not shown.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(Code::Internal, "The failure was logged under this request id.")
        }
    }

    /// 503. The cause is logged and not shown.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(Code::Unavailable, "Try again in a moment.") }
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Adds a header to the answer.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The kind of refusal.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What happened this time, in a sentence.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The mistakes it lists.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// A 500 for a panic, which was logged when it happened.
    pub(crate) fn panicked() -> Self {
        Self::new(Code::Internal, "The failure was logged under this request id.")
    }

    fn problem(&self) -> Problem {
        Problem {
            kind: format!("/problems/{}", self.code.as_str()),
            title: self.code.title().to_owned(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone().into_owned(),
            instance: scope::request_id().map(|id| id.to_string()),
            errors: self.errors.clone(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        scope::count(|c| c.error(self.code.as_str()));
        if let Some(cause) = &self.cause {
            tracing::error!(
                code = self.code.as_str(),
                error = runtime::log::chain(cause.as_ref()),
                "request failed"
            );
        }
        let body = serde_json::to_vec(&self.problem()).unwrap_or_default();
        let mut response = (self.code.status(), [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found(),
            StoreError::Conflict => Self::new(Code::Conflict, "Read the entity again and repeat the change."),
            StoreError::Violates(rule) => Self::new(Code::Conflict, format!("This breaks the rule {rule}.")),
            StoreError::Unavailable { .. } => Self::unavailable(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_code_has_its_own_word_and_an_error_status() {
        let words: HashSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|c| c.status().is_client_error() || c.status().is_server_error()));
    }

    #[tokio::test]
    async fn a_problem_names_its_request_and_hides_its_cause() {
        let answer = runtime::Scope::new("r1")
            .run(async { ApiError::unavailable("password=hunter2 refused").into_response() })
            .await;
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], "1");
        assert_eq!(answer.headers()["content-type"], PROBLEM_JSON);
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.instance.as_deref(), Some("r1"));
        assert_eq!(problem.kind, "/problems/unavailable");
        assert!(!problem.detail.contains("hunter2"));
    }
}
