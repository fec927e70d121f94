//! A client of the API that costs little itself: one connection that stays open, no pool, no TLS.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use url::Url;

use crate::failure::{Failure, PATIENCE};

/// Where the API is and who calls it.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    address: String,
    prefix: String,
    key: HeaderValue,
}

impl Api {
    /// An API under a plain HTTP base URL.
    pub(crate) fn new(base: &Url, key: &str) -> Result<Self, Failure> {
        let (Some(host), Some(port), "http") = (base.host_str(), base.port_or_known_default(), base.scheme())
        else {
            return Err(Failure::Usage(format!("{base} is no http:// URL")));
        };
        let mut key = HeaderValue::from_str(key)
            .map_err(|_| Failure::Usage("the API key is no header value".to_owned()))?;
        key.set_sensitive(true);
        let prefix = base.path().trim_end_matches('/').to_owned();
        Ok(Self { address: format!("{host}:{port}"), prefix, key })
    }
}

/// One client's connection.
#[derive(Debug)]
pub(crate) struct Connection {
    api: Api,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(api: Api) -> Result<Self, Failure> {
        let sender = connect(&api.address).await?;
        Ok(Self { api, sender })
    }

    /// Sends JSON, with `Prefer: wait=…` if the answer shall wait for the run's end, and reads the JSON that is answered.
    pub(crate) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
        wait_s: Option<u64>,
    ) -> Result<(StatusCode, Value), Failure> {
        // A server may close a connection between two requests; that is not an answer that was lost.
        if self.sender.ready().await.is_err() {
            self.sender = connect(&self.api.address).await?;
        }
        let request = self.request(method, path, body, wait_s)?;
        let answer = timeout(PATIENCE, send(&mut self.sender, request)).await;
        let answer = answer.map_err(|_| Failure::Late { path: path.to_owned() })?;
        let (status, text) = answer.map_err(|error| Failure::Broken { path: path.to_owned(), error })?;
        match serde_json::from_slice(&text) {
            Ok(json) => Ok((status, json)),
            Err(error) => Err(Failure::Wrong(format!("{path} answered {status} and no JSON: {error}"))),
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        wait_s: Option<u64>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api.prefix))
            .header(header::HOST, &self.api.address)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-api-key", &self.api.key);
        let request = match wait_s {
            Some(wait_s) => request.header("prefer", format!("wait={wait_s}")),
            None => request,
        };
        let body = Full::new(Bytes::from(body.to_string()));
        request.body(body).map_err(|error| Failure::Usage(format!("{path}: {error}")))
    }
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let failed = |error| Failure::Socket { address: address.to_owned(), error };
    let stream = TcpStream::connect(address).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Failure::Broken { path: address.to_owned(), error })?;
    // Its end is seen by the next request.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

async fn send(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), hyper::Error> {
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}
