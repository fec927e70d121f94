//! The same router behind API Gateway. Between its events and `lambda_http` stand two corrections.

use std::convert::Infallible;

use axum::{Router, response::Response};
use lambda_http::{Adapter, LambdaEvent, lambda_runtime, request::LambdaRequest, tower::ServiceBuilder};
use tower::Service;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Serves invocations until the environment is shut down.
pub(crate) async fn run(router: Router) -> Result<(), Cause> {
    lambda_runtime::run(service(router)).await
}

/// What answers one invocation.
pub(crate) fn service(
    router: Router,
) -> impl Service<LambdaEvent<LambdaRequest>, Response = impl serde::Serialize, Error = Infallible, Future: Send>
{
    let adapter: Adapter<'static, Response, Router> = Adapter::from(router);
    ServiceBuilder::new().map_request(tidy).service(adapter)
}

/// Removes the stage from the path, wherever the API is deployed, and escapes what a URI must not hold: `lambda_http` would
/// put the stage back, and would panic on a raw `<` or space that a client sent in its query.
fn tidy(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event.payload {
        if let (Some(path), Some(stage)) =
            (&mut request.raw_path, request.request_context.stage.replace("$default".to_owned()))
            && let Some(rest) = path.strip_prefix(&format!("/{stage}"))
            && rest.starts_with('/')
        {
            *path = rest.to_owned();
        }
        request.raw_path = request.raw_path.take().map(|path| escaped(&path).replace('?', "%3F"));
        request.raw_query_string = request.raw_query_string.take().map(|query| escaped(&query));
    }
    event
}

/// Percent-encodes the bytes that no part of a URI may hold as they are.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut escaped, byte| {
        if byte.is_ascii_graphic()
            && !matches!(byte, b'<' | b'>' | b'"' | b'#' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
        {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}
