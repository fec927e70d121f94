//! The signing keys as a process knows them.

use std::error::Error;

use app::{
    KnownSecret, SecretText,
    ports::{Entropy, InvalidName, Name, StoreError, unavailable},
};
use chrono::TimeDelta;
use zeroize::Zeroizing;

use crate::KeySet;

/// The keys from a deployment's secrets; made by a process that signs if there are none.
pub type KeyRing = KnownSecret<KeySet>;

/// The name of the secret that holds the keys.
pub fn token_keys() -> Result<Name, InvalidName> {
    Name::parse(KeySet::NAME)
}

impl SecretText for KeySet {
    const NAME: &'static str = "token-keys";
    const WHAT: &'static str = "the signing keys";
    const LOOKED_FOR: TimeDelta = TimeDelta::seconds(30);

    fn parse(text: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self::parse(text)?)
    }

    /// Nothing was ever signed.
    fn absent() -> Result<Self, StoreError> {
        Ok(Self::none())
    }

    fn generate(entropy: &dyn Entropy) -> Result<Zeroizing<String>, StoreError> {
        let text = Self::generate(&entropy.draw()?, &entropy.draw()?);
        text.map(Zeroizing::new).map_err(unavailable("make signing keys"))
    }
}
