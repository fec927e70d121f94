//! Who signs in (AUT-01 … AUT-20): access tokens and the keys that sign them, passwords, one-time codes, refresh tokens, other
//! issuers, and the use cases over them. Time, ids and chance are given; what is slow leaves the runtime.
//!
//! - [`Verifier`]: what every function needs, to know who calls.
//! - [`Identity`]: signing in and what belongs to it, for the function `auth`.

mod codes;
mod cookies;
mod csrf;
mod error;
mod key_ring;
mod keys;
mod limits;
mod mails;
mod oidc;
mod passwords;
mod pepper;
mod profile;
mod refresh;
mod request_code;
mod session;
mod sign_in;
mod text;
mod tokens;
mod verify_code;

use std::sync::Arc;

use app::ports::{
    Accounts, Challenges, Clock, Counters, DeploymentSecrets, Entropy, Ids, Mailer, Sessions, Web,
};

pub use codes::{CODE_LIFE, Purpose};
pub use cookies::{Cookies, SetCookies, arrived};
pub use csrf::CSRF_HEADER;
pub use error::SignInError;
pub use key_ring::{KeyRing, token_keys};
pub use keys::{Jwk, Jwks, KeySet, MalformedKeys};
pub use oidc::{Callback, CheckError, Departure, IssuerPorts, Issuers, MalformedProviders, ReturnTo};
pub use passwords::{Argon2Params, PasswordCheck, Passwords};
pub use refresh::{GRACE, REFRESH_LIFE};
pub use session::{OwnSession, SignedIn};
pub use sign_in::Client;
pub use tokens::{ACCESS_LIFE, Claims, Issuer, Realm, Refusal, Unverified, Verifier};
pub use verify_code::CodeAnswer;

use pepper::Peppers;

/// The worlds that signing in touches.
pub struct Ports {
    /// People.
    pub accounts: Arc<dyn Accounts>,
    /// Their refresh tokens.
    pub sessions: Arc<dyn Sessions>,
    /// The codes they were sent.
    pub challenges: Arc<dyn Challenges>,
    /// How often they tried.
    pub counters: Arc<dyn Counters>,
    /// How codes reach them.
    pub mailer: Arc<dyn Mailer>,
    /// What other issuers publish.
    pub web: Arc<dyn Web>,
    /// Keys that sign, the pepper, and which other issuers are trusted.
    pub secrets: Arc<dyn DeploymentSecrets>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Codes, tokens, salts.
    pub entropy: Arc<dyn Entropy>,
}

/// Signing in, and what those who did may do about it.
pub struct Identity {
    ports: Ports,
    issuer: Issuer,
    verifier: Arc<Verifier>,
    keys: Arc<KeyRing>,
    passwords: Passwords,
    peppers: Arc<Peppers>,
    issuers: Arc<Issuers>,
}

impl Identity {
    /// Over these ports, for callers of this realm. Reads nothing yet.
    pub fn new(ports: Ports, realm: Realm, cost: Argon2Params) -> Self {
        let (clock, entropy) = (Arc::clone(&ports.clock), Arc::clone(&ports.entropy));
        let keys =
            Arc::new(KeyRing::creating(Arc::clone(&ports.secrets), Arc::clone(&clock), Arc::clone(&entropy)));
        let peppers = Arc::new(Peppers::creating(Arc::clone(&ports.secrets), Arc::clone(&entropy)));
        let issuers = Arc::new(Issuers::new(IssuerPorts {
            secrets: Arc::clone(&ports.secrets),
            web: Arc::clone(&ports.web),
            accounts: Arc::clone(&ports.accounts),
            clock: Arc::clone(&clock),
        }));
        let verifier =
            Verifier::new(Arc::clone(&keys), Arc::clone(&peppers), realm.clone(), Arc::clone(&clock));
        Self {
            issuer: Issuer::new(Arc::clone(&keys), realm, clock, Arc::clone(&ports.ids)),
            verifier: Arc::new(verifier.trusting(Arc::clone(&issuers))),
            issuers,
            passwords: Passwords::new(cost, entropy),
            peppers,
            keys,
            ports,
        }
    }

    /// Who may call.
    pub const fn verifier(&self) -> &Arc<Verifier> {
        &self.verifier
    }

    /// The other issuers that are trusted.
    pub const fn issuers(&self) -> &Arc<Issuers> {
        &self.issuers
    }

    /// The public keys that access tokens are signed with.
    pub async fn jwks(&self) -> Result<Jwks, app::ports::StoreError> {
        Ok(self.keys.get().await?.jwks())
    }
}
