//! The master keys as a process knows them.

use std::error::Error;

use app::{
    KnownSecret, SecretText,
    ports::{DataKey, Entropy, StoreError, unavailable},
};
use chrono::TimeDelta;
use domain::TeamId;
use zeroize::Zeroizing;

use crate::{
    MasterKeys,
    seal::{self, KeyBytes},
};

/// The keys from a deployment's secrets; the first is made by a process that seals. A rotation is heard of within five minutes by those who
/// wrap; who meets a key that it does not know asks at once.
pub type MasterRing = KnownSecret<MasterKeys>;

impl SecretText for MasterKeys {
    const NAME: &'static str = "master-keys";
    const WHAT: &'static str = "the master keys";
    const LOOKED_FOR: TimeDelta = TimeDelta::seconds(10);

    fn parse(text: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self::parse(text)?)
    }

    fn generate(entropy: &dyn Entropy) -> Result<Zeroizing<String>, StoreError> {
        Self::generate(&entropy.draw()?).map_err(unavailable("make a master key"))
    }
}

/// Unwraps a key of a team, by a master key that may be newer than what is known.
pub(crate) async fn unwrap(
    masters: &MasterRing,
    team: TeamId,
    key: &DataKey,
) -> Result<KeyBytes, StoreError> {
    let known = masters.get_with(|masters| masters.find(&key.master_key_id).is_some()).await;
    let masters = known.map_err(|error| match error {
        // A deployment that has lost its keys is our trouble, and must not pass for a credential that is not there.
        StoreError::NotFound => unavailable(MasterKeys::WHAT)("there are none"),
        other => other,
    })?;
    seal::unwrap(&masters, team, key).map_err(unavailable("unwrap a data key"))
}
