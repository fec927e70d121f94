//! Passwords as Argon2id (RFC 9106) in PHC form (AUT-18).

use std::sync::Arc;

use app::ports::{Entropy, StoreError, unavailable};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

const HASH: &str = "hash a password";
const CHECK: &str = "check a password";

/// So many are hashed at a time in a process: each takes its memory and a core for a good while.
const AT_ONCE: usize = 2;

/// Salts have the 128 bits that RFC 9106 recommends.
const SALT_BYTES: usize = 16;

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Params {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Argon2Params {
    /// 64 MiB, 3 passes, 4 lanes.
    pub const REQUIRED: Self = Self { memory_kib: 65_536, passes: 3, lanes: 4 };

    fn argon2(self) -> Result<Argon2<'static>, argon2::Error> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, None)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// Whether a hash was made at this cost.
    fn made(self, hash: &PasswordHash) -> bool {
        let params = Params::try_from(hash);
        hash.algorithm.as_str() == "argon2id"
            && params.is_ok_and(|params| {
                (params.m_cost(), params.t_cost(), params.p_cost())
                    == (self.memory_kib, self.passes, self.lanes)
            })
    }
}

/// What came of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCheck {
    /// It is not the one.
    Wrong,
    /// It is the one.
    Right {
        /// Whether its hash was made at another cost than is asked for now.
        is_outdated: bool,
    },
}

/// Hashes passwords and checks them, few at a time and never on the runtime's own threads.
pub struct Passwords {
    cost: Argon2Params,
    entropy: Arc<dyn Entropy>,
    turns: Arc<Semaphore>,
}

impl Passwords {
    /// At this cost.
    pub fn new(cost: Argon2Params, entropy: Arc<dyn Entropy>) -> Self {
        Self { cost, entropy, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// A hash of the password.
    pub async fn hash(&self, password: String) -> Result<String, StoreError> {
        let (cost, random) = (self.cost, self.entropy.draw()?);
        self.in_turn(HASH, move || hash(cost, &password, &random[..SALT_BYTES])).await
    }

    /// Whether the password is the one of this hash. Without a hash, and with one of the present cost, the answer takes the same time.
    pub async fn check(&self, password: String, phc: Option<String>) -> Result<PasswordCheck, StoreError> {
        let cost = self.cost;
        self.in_turn(CHECK, move || {
            let Some(phc) = phc else {
                return hash(cost, &password, &[0; SALT_BYTES]).map(|_| PasswordCheck::Wrong);
            };
            let known = PasswordHash::new(&phc).map_err(|error| error.to_string())?;
            let argon2 = cost.argon2().map_err(|error| error.to_string())?;
            match argon2.verify_password(password.as_bytes(), &known) {
                Ok(()) => Ok(PasswordCheck::Right { is_outdated: !cost.made(&known) }),
                Err(password_hash::Error::PasswordInvalid) => Ok(PasswordCheck::Wrong),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(unavailable(doing))?;
        let work = move || {
            let done = work();
            // Held by the work, which goes on when nobody waits for it any more.
            drop(turn);
            done
        };
        spawn_blocking(work).await.map_err(unavailable(doing))?.map_err(unavailable(doing))
    }
}

fn hash(cost: Argon2Params, password: &str, salt: &[u8]) -> Result<String, String> {
    let argon2 = cost.argon2().map_err(|error| error.to_string())?;
    let hash = argon2.hash_password_with_salt(password.as_bytes(), salt);
    hash.map(|hash| hash.to_string()).map_err(|error| error.to_string())
}
