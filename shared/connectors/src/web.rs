//! Documents of identity providers, over the one way out.

use std::time::Duration;

use app::ports::{StoreError, Web, WebAnswer, WebForm, unavailable};
use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use url::form_urlencoded;

use crate::egress::{Egress, Request};

/// How long a server may take for all of its answer: a request waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// As much of an answer is read. The keys of a large provider are a tenth of it.
const MOST_BYTES: usize = 256 * 1024;

const READ: &str = "read a document of another server";
const SEND: &str = "send a form to another server";

/// [`Web`] over [`Egress`].
#[derive(Debug)]
pub struct EgressWeb(Egress);

impl EgressWeb {
    /// Over this client.
    pub const fn new(egress: Egress) -> Self {
        Self(egress)
    }

    async fn exchange(&self, doing: &'static str, request: Request) -> Result<WebAnswer, StoreError> {
        let response = self.0.send_straight(request, PATIENCE).await.map_err(unavailable(doing))?;
        let (status, host) = (response.status(), response.host().to_owned());
        if status.is_server_error() {
            return Err(unavailable(doing)(format!("{host} answered {}", status.as_u16())));
        }
        let body = response.bytes(MOST_BYTES).await.map_err(unavailable(doing))?;
        Ok(WebAnswer { status: status.as_u16(), body: serde_json::from_slice(&body).ok() })
    }
}

#[async_trait]
impl Web for EgressWeb {
    async fn get(&self, url: &str) -> Result<WebAnswer, StoreError> {
        let (url, headers) = (self.0.confidential(url).map_err(unavailable(READ))?, accepting_json());
        self.exchange(READ, Request { method: Method::GET, url, headers, body: Bytes::new() }).await
    }

    async fn post(&self, form: &WebForm<'_>) -> Result<WebAnswer, StoreError> {
        let url = self.0.confidential(form.url).map_err(unavailable(SEND))?;
        let mut headers = accepting_json();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if let Some((name, password)) = form.basic {
            let credentials = BASE64_STANDARD.encode(format!("{}:{}", encoded(name), encoded(password)));
            let field = HeaderValue::try_from(format!("Basic {credentials}")).map_err(unavailable(SEND))?;
            headers.insert(header::AUTHORIZATION, field);
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form.fields).finish();
        self.exchange(SEND, Request { method: Method::POST, url, headers, body: body.into() }).await
    }
}

fn accepting_json() -> HeaderMap {
    HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))])
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
