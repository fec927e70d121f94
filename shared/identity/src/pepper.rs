//! A key that never leaves the deployment, and what is derived from it: without it, nothing that a database holds can be guessed at.

use std::sync::Arc;

use app::ports::{DeploymentSecrets, Entropy, Name, StoreError, unavailable};
use ring::hmac;
use tokio::sync::OnceCell;

use crate::text::{decode, encode};

/// The secret that holds it.
const NAME: &str = "identity-pepper";

const READ: &str = "read the pepper";

/// A key for each use. What was made by one is worth nothing to another.
pub(crate) struct Pepper {
    /// For one-time codes.
    pub(crate) code: hmac::Key,
    /// For addresses in keys of stores that need not know them.
    pub(crate) address: hmac::Key,
    /// For refresh tokens that follow from the one before.
    pub(crate) refresh: hmac::Key,
    /// For what proves that a request comes from our own page.
    pub(crate) csrf: hmac::Key,
    /// For what browsers keep while they are away at an issuer.
    pub(crate) oidc: hmac::Key,
}

impl Pepper {
    pub(crate) fn of(pepper: &[u8]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, pepper);
        let key =
            |usage: &str| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, usage.as_bytes()).as_ref());
        Self {
            code: key("code"),
            address: key("address"),
            refresh: key("refresh"),
            csrf: key("csrf"),
            oidc: key("oidc"),
        }
    }

    /// An address as it stands in the keys of challenges and counters.
    pub(crate) fn veiled(&self, address: &str) -> String {
        encode(hmac::sign(&self.address, address.as_bytes()).as_ref())
    }
}

/// The pepper, read by its first use.
pub(crate) struct Peppers {
    secrets: Arc<dyn DeploymentSecrets>,
    /// What a new one is made of, where this process may make it.
    entropy: Option<Arc<dyn Entropy>>,
    known: OnceCell<Pepper>,
}

impl Peppers {
    /// For a process that checks only. Where there is no pepper yet, nothing was ever made with it.
    pub(crate) fn reading(secrets: Arc<dyn DeploymentSecrets>) -> Self {
        Self { secrets, entropy: None, known: OnceCell::new() }
    }

    /// For a process that makes the pepper if there is none.
    pub(crate) fn creating(secrets: Arc<dyn DeploymentSecrets>, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy: Some(entropy), ..Self::reading(secrets) }
    }

    /// The pepper; [`StoreError::NotFound`] where there is none, and none may be made.
    pub(crate) async fn get(&self) -> Result<&Pepper, StoreError> {
        self.known.get_or_try_init(|| self.read()).await
    }

    async fn read(&self) -> Result<Pepper, StoreError> {
        let name = Name::parse(NAME).map_err(unavailable(READ))?;
        let text = match (self.secrets.read(&name).await, &self.entropy) {
            (Err(StoreError::NotFound), Some(entropy)) => {
                self.secrets.create_if_absent(&name, &encode(&entropy.draw()?)).await?
            }
            (read, _) => read?,
        };
        let pepper = decode(text.trim()).filter(|pepper| pepper.len() >= 32);
        pepper
            .map(|pepper| Pepper::of(&pepper))
            .ok_or_else(|| unavailable(READ)("the pepper is not 32 bytes or more in base64url"))
    }
}
