//! The port to documents of other servers: those of identity providers.

use async_trait::async_trait;
use serde_json::Value;

use super::StoreError;

/// Small JSON documents of servers that the deployment names. Implementations bound time and size, follow no redirect, and take `https` only
/// unless the deployment makes an exception for the server.
///
/// Whoever does not answer, or with a 5xx, is [`StoreError::Unavailable`], and so is who may not be asked.
#[async_trait]
pub trait Web: Send + Sync {
    /// Reads a document.
    async fn get(&self, url: &str) -> Result<WebAnswer, StoreError>;

    /// Sends a form (`application/x-www-form-urlencoded`).
    async fn post(&self, form: &WebForm<'_>) -> Result<WebAnswer, StoreError>;
}

/// A form to send. It holds secrets, and prints none: it prints nothing at all.
#[derive(Clone, Copy)]
pub struct WebForm<'a> {
    /// Where to.
    pub url: &'a str,
    /// Its fields.
    pub fields: &'a [(&'a str, &'a str)],
    /// Name and password for HTTP Basic, each as RFC 6749 wants it in section 2.3.1: encoded as in a form first.
    pub basic: Option<(&'a str, &'a str)>,
}

/// What a server answered.
#[derive(Clone, PartialEq, Eq)]
pub struct WebAnswer {
    /// The status.
    pub status: u16,
    /// The body; None where it is not JSON.
    pub body: Option<Value>,
}

impl WebAnswer {
    /// The body of a 200.
    pub fn document(self) -> Option<Value> {
        self.body.filter(|_| self.status == 200)
    }
}
