//! Other issuers (AUT-15 … AUT-17): whom a deployment trusts, bearer tokens that they issue, and sign-in by authorization code with PKCE.
//!
//! An issuer says that an address is somebody's; who that is, and what they may, is known here. Each is believed about every address
//! unless it is given domains.

mod flow;
mod jwk;
mod pass;
mod provider;
mod published;
mod return_to;
mod token;

use std::sync::Arc;

use app::ports::{Account, Accounts, Clock, DeploymentSecrets, Name, StoreError, Web, unavailable};
use chrono::TimeDelta;
use domain::{SessionId, Timestamp};
use ring::digest::{Context, SHA256};
use tokio::sync::Mutex;
use uuid::{Builder, Uuid};

pub use flow::{Callback, Departure};
pub use provider::MalformedProviders;
pub use return_to::ReturnTo;

pub(crate) use token::claimed_issuer;

use crate::{Claims, Refusal, Unverified};
use provider::Provider;
use published::Published;
use token::{Foreign, Said};

/// The secret that names the issuers.
const NAME: &str = "oidc-providers";

/// How old what is known of them may be.
const KEPT: TimeDelta = TimeDelta::minutes(5);

const READ: &str = "read the identity providers";

/// The types of access tokens. Issuers older than RFC 9068 say that it is a JWT, or nothing.
const ACCESS: [&str; 3] = ["JWT", "at+jwt", "application/at+jwt"];

/// The type of ID tokens.
const ID: [&str; 1] = ["JWT"];

/// What it takes to believe other issuers.
#[derive(Clone)]
pub struct IssuerPorts {
    /// Which they are.
    pub secrets: Arc<dyn DeploymentSecrets>,
    /// What they publish.
    pub web: Arc<dyn Web>,
    /// Whose the addresses are that they vouch for.
    pub accounts: Arc<dyn Accounts>,
    /// The present.
    pub clock: Arc<dyn Clock>,
}

/// The issuers that a deployment trusts beside itself. Which they are is read by the first use and again now and then.
pub struct Issuers {
    ports: IssuerPorts,
    known: Mutex<Option<Known>>,
}

struct Known {
    read_on: Timestamp,
    trusted: Vec<Arc<Trusted>>,
    mistakes: Option<MalformedProviders>,
}

/// An issuer with what it publishes.
struct Trusted {
    provider: Provider,
    published: Arc<Published>,
}

impl Issuers {
    /// Over these ports. Reads nothing yet.
    pub fn new(ports: IssuerPorts) -> Self {
        Self { ports, known: Mutex::default() }
    }

    /// Refuses a configuration that is not taken, with all its mistakes; for who starts a process or asks whether one is ready.
    pub async fn check(&self) -> Result<(), CheckError> {
        self.look(|known| match &known.mistakes {
            Some(mistakes) => Err(CheckError::Malformed(mistakes.clone())),
            None => Ok(()),
        })
        .await?
    }

    /// Who shows an access token that is said to be this issuer's.
    pub(crate) async fn verify(&self, token: &str, issuer: &str) -> Result<Claims, Unverified> {
        let takes = |provider: &Provider| provider.audience.is_some() && provider.issuer == issuer;
        let trusted = self.find(takes).await?.ok_or(Refusal::Issuer)?;
        let said = trusted.proven(token, &ACCESS).await?;
        said.judge_access(&trusted.provider, self.ports.clock.now())?;
        let email = said.email(&trusted.provider)?;
        let account = self.account(&email).await?.ok_or(Refusal::Account)?;
        claims(&said, token, account).ok_or_else(|| Refusal::Malformed.into())
    }

    /// The account of who may sign in with this address.
    async fn account(&self, email: &str) -> Result<Option<Account>, StoreError> {
        match self.ports.accounts.by_email(email).await {
            Ok(account) => Ok(Some(account).filter(|account| account.is_active)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn find(&self, is_it: impl Fn(&Provider) -> bool) -> Result<Option<Arc<Trusted>>, StoreError> {
        self.look(|known| known.trusted.iter().find(|trusted| is_it(&trusted.provider)).cloned()).await
    }

    async fn look<T>(&self, look: impl FnOnce(&Known) -> T) -> Result<T, StoreError> {
        let mut known = self.known.lock().await;
        let now = self.ports.clock.now();
        match &mut *known {
            Some(known) if now - known.read_on < KEPT => return Ok(look(known)),
            _ => {}
        }
        let next = match (self.read(known.is_some()).await, known.take()) {
            (Ok(text), before) => self.taken(&text, before, now),
            (Err(error), None) => return Err(error),
            (Err(error), Some(before)) => {
                tracing::warn!(%error, "the identity providers could not be read again");
                Known { read_on: now, ..before }
            }
        };
        Ok(look(known.insert(next)))
    }

    async fn read(&self, is_again: bool) -> Result<Arc<str>, StoreError> {
        let name = Name::parse(NAME).map_err(unavailable(READ))?;
        let secrets = &self.ports.secrets;
        match if is_again { secrets.read_again(&name).await } else { secrets.read(&name).await } {
            Err(StoreError::NotFound) => Ok("[]".into()),
            read => read,
        }
    }

    /// What a text comes to. One with mistakes changes nothing, so that a slip takes nobody's sign-in away and opens nothing; whoever
    /// starts with it trusts nobody.
    fn taken(&self, text: &str, before: Option<Known>, now: Timestamp) -> Known {
        let before = before.map_or(Vec::new(), |before| before.trusted);
        match provider::parse(text) {
            Ok(providers) => {
                let trusted = providers.into_iter().map(|provider| self.trusted(provider, &before));
                Known { read_on: now, trusted: trusted.collect(), mistakes: None }
            }
            Err(mistakes) => {
                tracing::error!(%mistakes, "the identity providers are not taken");
                Known { read_on: now, trusted: before, mistakes: Some(mistakes) }
            }
        }
    }

    /// Keeps what was heard of an issuer that stays.
    fn trusted(&self, provider: Provider, before: &[Arc<Trusted>]) -> Arc<Trusted> {
        let known = before.iter().find(|known| known.provider.issuer == provider.issuer);
        let published = known.map_or_else(
            || {
                let (web, clock) = (Arc::clone(&self.ports.web), Arc::clone(&self.ports.clock));
                Arc::new(Published::new(provider.issuer.clone(), web, clock))
            },
            |known| Arc::clone(&known.published),
        );
        Arc::new(Trusted { provider, published })
    }
}

impl Trusted {
    /// What a token says that one of the issuer's keys signed. The algorithm is that of the key, whatever the token says of it.
    async fn proven(&self, token: &str, types: &[&str]) -> Result<Said, Unverified> {
        let foreign = Foreign::parse(token)?;
        let documents = self.published.documents_with(foreign.key()).await?;
        let key = documents.keys.find(foreign.key()).ok_or(Refusal::UnknownKey)?;
        Ok(foreign.proven(key, types)?)
    }
}

/// Why the configuration is not ready.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It has mistakes.
    #[error(transparent)]
    Malformed(#[from] MalformedProviders),
    /// It can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// As if we had issued it, for a session that is stored nowhere.
fn claims(said: &Said, token: &str, account: Account) -> Option<Claims> {
    let (issued_on, expires_on) = said.span()?;
    let id = said.jti.as_deref().unwrap_or(token);
    Some(Claims {
        member_id: account.member_id,
        email: account.email,
        session_id: SessionId::new(derived(said, "session", id)),
        token_id: derived(said, "token", id),
        issued_on,
        expires_on,
    })
}

/// A UUID of version 8 that is always the same for the same token.
fn derived(said: &Said, what: &str, id: &str) -> Uuid {
    let mut sha256 = Context::new(&SHA256);
    for part in [what, said.issuer(), &said.sub, id] {
        sha256.update(&part.len().to_be_bytes());
        sha256.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sha256.finish().as_ref()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}
