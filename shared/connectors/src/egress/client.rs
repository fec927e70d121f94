//! Requests and responses.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::{Client, redirect};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    error::EgressError,
    lookup::{CheckedLookup, Lookup, SystemLookup},
    policy::EgressPolicy,
    redirect::next_hop,
};

/// The most redirects that one request follows.
const MAX_REDIRECTS: u32 = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Shorter than what servers and NAT gateways commonly grant an idle connection.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
const MAX_HEADER_BYTES: u32 = 64 * 1024;
const USER_AGENT: &str = concat!("Heddle/", env!("CARGO_PKG_VERSION"));

/// A request to an address that a stranger chose. What it says of them prints no header, query or body.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address; checked by [`Egress::send`].
    pub url: Url,
    /// Headers; those of the connection are the client's business.
    pub headers: HeaderMap,
    /// The body; none where empty.
    pub body: Bytes,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, host_of(&self.url))
    }
}

/// The client. Keeps connections for reuse and belongs into a process once.
pub struct Egress {
    policy: Arc<EgressPolicy>,
    lookup: Arc<dyn Lookup>,
    /// A resolver is told a name and no port, but exceptions have one: so there is a client for each port that the policy
    /// names, and one for all others. Each is built when first used, as reading root certificates costs milliseconds that a
    /// cold start without a request should not pay.
    clients: BTreeMap<Option<u16>, OnceLock<Client>>,
}

impl Egress {
    /// A client under `policy` that asks the machine's resolver.
    pub fn new(policy: EgressPolicy) -> Self {
        Self::with_lookup(policy, Arc::new(SystemLookup))
    }

    /// A client under `policy` that asks `lookup`.
    pub fn with_lookup(policy: EgressPolicy, lookup: Arc<dyn Lookup>) -> Self {
        let ports = policy.ports().into_iter().map(Some).chain([None]);
        Self {
            clients: ports.map(|port| (port, OnceLock::new())).collect(),
            policy: Arc::new(policy),
            lookup,
        }
    }

    /// Sends a request, follows redirects, and answers with the response's head. `timeout` is for all of that and for the body,
    /// which is still to be read.
    pub async fn send(&self, request: Request, timeout: Duration) -> Result<Response, EgressError> {
        self.follow(request, timeout, MAX_REDIRECTS).await
    }

    /// The same, but a redirect is a failure: nothing goes anywhere but to the address that was given.
    pub async fn send_straight(&self, request: Request, timeout: Duration) -> Result<Response, EgressError> {
        self.follow(request, timeout, 0).await
    }

    /// The address of a server that is told keys and secrets: those go in clear to nobody but one for whom the deployment makes an exception.
    pub(crate) fn confidential(&self, url: &str) -> Result<Url, Box<dyn Error + Send + Sync>> {
        let url = Url::parse(url)?;
        if url.scheme() == "https" || self.policy.names(&url) {
            Ok(url)
        } else {
            Err("only https is taken".into())
        }
    }

    async fn follow(&self, request: Request, timeout: Duration, most: u32) -> Result<Response, EgressError> {
        let deadline = Instant::now() + timeout;
        let mut request = request;
        for redirects in 0..=most {
            self.policy.check_url(&request.url)?;
            let host = host_of(&request.url);
            let head = self.exchange(&request, &host, deadline).await?;
            match next_hop(&request, head.status(), head.headers())? {
                Some(next) => request = next,
                None => return Ok(Response { host, redirects, deadline, head }),
            }
        }
        Err(EgressError::TooManyRedirects { host: host_of(&request.url) })
    }

    async fn exchange(
        &self,
        request: &Request,
        host: &str,
        deadline: Instant,
    ) -> Result<reqwest::Response, EgressError> {
        let failed = |error| EgressError::of(host.to_owned(), error);
        let client = self.client(request.url.port_or_known_default()).map_err(failed)?;
        let mut headers = request.headers.clone();
        // Nothing here unpacks a body.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut outgoing = client.request(request.method.clone(), request.url.clone()).headers(headers);
        if !request.body.is_empty() {
            outgoing = outgoing.body(request.body.clone());
        } else if !request.method.is_safe() {
            // Some servers take no request without content unless it says so (RFC 9110, section 8.6).
            outgoing = outgoing.header(header::CONTENT_LENGTH, 0);
        }
        match timeout_at(deadline, outgoing.send()).await {
            Ok(answer) => answer.map_err(failed),
            Err(_) => Err(EgressError::Timeout { host: host.to_owned() }),
        }
    }

    fn client(&self, port: Option<u16>) -> reqwest::Result<&Client> {
        let port = port.filter(|port| self.clients.contains_key(&Some(*port)));
        let slot = &self.clients[&port];
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        // Whoever built a client before us has chosen the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Where the machine has no root certificates, plain http still works and https fails for want of trust.
        let client = self.builder(port).build().or_else(|_| self.builder(port).tls_certs_only([]).build())?;
        Ok(slot.get_or_init(|| client))
    }

    fn builder(&self, port: Option<u16>) -> reqwest::ClientBuilder {
        let (policy, lookup) = (Arc::clone(&self.policy), Arc::clone(&self.lookup));
        Client::builder()
            .dns_resolver(CheckedLookup { policy, lookup, port })
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .http2_max_header_list_size(MAX_HEADER_BYTES)
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// The head of a response; its body is still on the way. Dropping it breaks the transfer off.
pub struct Response {
    host: String,
    redirects: u32,
    deadline: Instant,
    head: reqwest::Response,
}

impl Response {
    /// Who answered, after all redirects: `host`, or `host:port` where the port is not the scheme's own.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// How many redirects led here.
    pub const fn redirects(&self) -> u32 {
        self.redirects
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// The body, read to its end, at most `max_bytes` of it: a larger one is broken off as soon as it shows.
    pub async fn bytes(mut self, max_bytes: usize) -> Result<Bytes, EgressError> {
        let reading = read(&mut self.head, &self.host, max_bytes);
        match timeout_at(self.deadline, reading).await {
            Ok(body) => body,
            Err(_) => Err(EgressError::Timeout { host: self.host }),
        }
    }
}

async fn read(head: &mut reqwest::Response, host: &str, max_bytes: usize) -> Result<Bytes, EgressError> {
    let too_large = || EgressError::TooLarge { host: host.to_owned(), max_bytes };
    let announced = head.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |announced| announced > max_bytes) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(part) = head.chunk().await.map_err(|error| EgressError::of(host.to_owned(), error))? {
        if body.len() + part.len() > max_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}

/// `host`, or `host:port` where the port is not the scheme's own: all that may be told of a URL.
pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
