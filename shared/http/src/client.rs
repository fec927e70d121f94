//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;

/// The address at the other end: what API Gateway says it is, else that of the connection; None where neither is known. Never what a
/// header claims, which anybody may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Self(gateway(parts).or(connected)))
    }
}

#[cfg(not(feature = "lambda"))]
fn gateway(_: &Parts) -> Option<IpAddr> {
    None
}

#[cfg(feature = "lambda")]
fn gateway(parts: &Parts) -> Option<IpAddr> {
    use lambda_http::{RequestExt as _, request::RequestContext};
    match parts.extensions.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_ref()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    async fn address(request: Request<()>) -> Option<IpAddr> {
        let (mut parts, ()) = request.into_parts();
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(&mut parts, &()).await;
        address
    }

    #[tokio::test]
    async fn headers_claim_nothing() {
        let request =
            || Request::get("/").header("x-forwarded-for", "192.0.2.1").header("forwarded", "for=192.0.2.1");
        assert_eq!(address(request().body(()).unwrap()).await, None);
        let peer: SocketAddr = "198.51.100.7:4711".parse().unwrap();
        let connected = request().extension(ConnectInfo(peer)).body(()).unwrap();
        assert_eq!(address(connected).await, Some(peer.ip()));
    }
}
