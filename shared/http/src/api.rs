//! A function's routes with everything around them.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::HeaderValue;
use runtime::{Scope, metrics, panics};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::{ApiError, Gate, Json, access, docs, headers, health};

/// Where every area's routes live (API-01).
pub const BASE: &str = "/api/v1";

/// An area on its way to becoming a router.
pub struct Api<S> {
    area: &'static str,
    description: &'static str,
    routes: OpenApiRouter<S>,
    beside: OpenApiRouter<S>,
    checks: health::Checks,
}

impl<S: Clone + Send + Sync + 'static> Api<S> {
    /// An area whose `routes` have paths relative to [`BASE`].
    pub fn new(area: &'static str, description: &'static str, routes: OpenApiRouter<S>) -> Self {
        let (beside, checks) = (OpenApiRouter::default(), health::Checks::default());
        Self { area, description, routes, beside, checks }
    }

    /// Adds routes whose paths stand for themselves, not below [`BASE`].
    pub fn beside(self, routes: OpenApiRouter<S>) -> Self {
        Self { beside: routes, ..self }
    }

    /// Adds a part that must answer for the function to be ready. Its name is shown to clients, its error only logged.
    pub fn ready<W, E>(mut self, part: &'static str, ask: impl Fn() -> W + Send + Sync + 'static) -> Self
    where
        W: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.checks.add(part, ask);
        self
    }

    /// The finished router: the area's routes behind `gate`, health at `/health` and under the area, the area's OpenAPI document at
    /// `/api/v1/<area>/openapi.json`; what matches none of them is a problem too.
    pub fn build(self, state: S, gate: Gate) -> Router {
        let prefix = format!("{BASE}/{}", self.area);
        let health = health::routes(Arc::new(self.checks));
        let gate = Arc::new(gate);
        let (router, document) = OpenApiRouter::with_openapi(docs::empty(self.area, self.description))
            .nest(BASE, self.routes.with_state(state.clone()))
            .merge(self.beside.with_state(state))
            .route_layer(middleware::from_fn_with_state(Arc::clone(&gate), access::admit))
            .nest(&prefix, health.clone())
            .merge(health)
            .split_for_parts();
        let (document, cors) = (Arc::new(document), gate.cors());
        // Completed and written when it is asked for: at boot it would cost every cold start.
        let document = async move || {
            let mut document = OpenApi::clone(&document);
            docs::declare(&mut document, &gate);
            docs::written(&document).map(Json).into_response()
        };
        let router = router
            .route(&format!("{prefix}/openapi.json"), get(document))
            .method_not_allowed_fallback(async || {
                ApiError::new(
                    crate::Code::MethodNotAllowed,
                    "The Allow header names the methods of this route.",
                )
            })
            .fallback(async || ApiError::not_found());
        match cors {
            Some(cors) => router.layer(cors),
            None => router,
        }
        .layer(middleware::from_fn(observe))
    }
}

/// Gives a request its id (API-08), its scope and its metrics line, and completes the headers of its answer. A panic becomes a
/// 500.
async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched".to_owned(), |path| path.as_str().to_owned());
    let scope = Scope::new(&id);
    let work = async {
        let answer = panics::caught(next.run(request)).await;
        let mut response = answer.unwrap_or_else(|panics::Panicked| ApiError::panicked().into_response());
        headers::complete(response.headers_mut(), &id);
        metrics::request(
            method.as_str(),
            &route,
            response.status().as_u16(),
            started.elapsed(),
            &scope.take_counts(),
        );
        response
    };
    scope.run(work).await
}

/// The id that the process's surroundings gave the request, else a new one. Never the client's.
fn request_id(request: &Request) -> String {
    given_id(request)
        .filter(|id| !id.is_empty() && HeaderValue::try_from(id).is_ok())
        .unwrap_or_else(|| Uuid::now_v7().to_string())
}

#[cfg(not(feature = "lambda"))]
fn given_id(_: &Request) -> Option<String> {
    None
}

/// API Gateway's id, so that its access log and ours name the same thing; else that of the Lambda request.
#[cfg(feature = "lambda")]
fn given_id(request: &Request) -> Option<String> {
    use lambda_http::{RequestExt as _, request::RequestContext};
    let gateway = match request.extensions().request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    gateway.or_else(|| request.extensions().lambda_context_ref().map(|context| context.request_id.clone()))
}
