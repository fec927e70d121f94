//! Where a router runs.

use std::net::Ipv4Addr;

use axum::Router;
use tokio::net::TcpListener;

use crate::lambda;

/// Serves a router until the process is told to stop: under Lambda when its Runtime API is there, else on `127.0.0.1:$PORT`
/// (8080 where `PORT` is absent) for development.
pub async fn serve(router: Router) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return lambda::run(router).await;
    }
    let port = std::env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let stop = async {
        // If the signal can't be listened for, there is nothing to wait for but the end of the process.
        let _ = tokio::signal::ctrl_c().await;
    };
    Ok(axum::serve(listener, router).with_graceful_shutdown(stop).await?)
}
