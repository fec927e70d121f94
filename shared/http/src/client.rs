//! Where a request comes from, and by what program.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::{header, request::Parts};
use identity::Client;

/// As many characters of the client's name for itself are kept.
const AGENT_MAX: usize = 500;

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

/// Where a request comes from, and by what program it says it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(pub Client);

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let ClientAddress(ip) = ClientAddress::from_request_parts(parts, state).await?;
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let user_agent = agent.map(|agent| agent.chars().take(AGENT_MAX).collect());
        Ok(Self(Client { ip, user_agent }))
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
