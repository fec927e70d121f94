//! A secret of the deployment as a process knows it: read by the first use, and again now and then.

use std::{error::Error, sync::Arc};

use chrono::TimeDelta;
use domain::Timestamp;
use tokio::sync::Mutex;
use tracing::warn;
use zeroize::Zeroizing;

use crate::ports::{Clock, DeploymentSecrets, Entropy, Name, StoreError, unavailable};

/// How old what is known may be: a change is heard of within this time.
const KEPT: TimeDelta = TimeDelta::minutes(5);

/// What the text of a secret means.
pub trait SecretText: Sized + Send + Sync {
    /// What it is called among the deployment's secrets.
    const NAME: &'static str;

    /// What it is, for who reads logs: "the signing keys".
    const WHAT: &'static str;

    /// What is known may lack what somebody asks for. Then it is read again, but no more often than this, whoever asks.
    const LOOKED_FOR: TimeDelta = KEPT;

    /// Reads the text. What is wrong with it is told without repeating it.
    fn parse(text: &str) -> Result<Self, Box<dyn Error + Send + Sync>>;

    /// What it means that there is no such secret, for a process that makes none.
    fn absent() -> Result<Self, StoreError> {
        Err(StoreError::NotFound)
    }

    /// The text of a first secret.
    fn generate(_entropy: &dyn Entropy) -> Result<Zeroizing<String>, StoreError> {
        Err(StoreError::NotFound)
    }
}

/// A secret, and what it last meant. Where it can't be read again, what is known stays.
pub struct KnownSecret<T> {
    secrets: Arc<dyn DeploymentSecrets>,
    clock: Arc<dyn Clock>,
    /// What a first secret is made of, where this process may make one.
    entropy: Option<Arc<dyn Entropy>>,
    known: Mutex<Option<(Timestamp, Arc<T>)>>,
}

impl<T: SecretText> KnownSecret<T> {
    /// For a process that only reads.
    pub fn reading(secrets: Arc<dyn DeploymentSecrets>, clock: Arc<dyn Clock>) -> Self {
        Self { secrets, clock, entropy: None, known: Mutex::default() }
    }

    /// For a process that makes the secret where there is none.
    pub fn creating(
        secrets: Arc<dyn DeploymentSecrets>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self { entropy: Some(entropy), ..Self::reading(secrets, clock) }
    }

    /// What it means, as it was a while ago at most.
    pub async fn get(&self) -> Result<Arc<T>, StoreError> {
        self.get_with(|_| true).await
    }

    /// The same, read again if that is not enough and it was not just read.
    pub async fn get_with(&self, is_enough: impl Fn(&T) -> bool) -> Result<Arc<T>, StoreError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some((read_on, meaning)) = &*known {
            let allowed = if is_enough(meaning) { KEPT } else { T::LOOKED_FOR };
            if now - *read_on < allowed {
                return Ok(Arc::clone(meaning));
            }
        }
        let meaning = match (self.read(known.is_some()).await, &*known) {
            (Ok(meaning), _) => Arc::new(meaning),
            (Err(error), None) => return Err(error),
            (Err(error), Some((_, meaning))) => {
                warn!(%error, "{} could not be read again", T::WHAT);
                Arc::clone(meaning)
            }
        };
        *known = Some((now, Arc::clone(&meaning)));
        Ok(meaning)
    }

    async fn read(&self, is_again: bool) -> Result<T, StoreError> {
        let name = Name::parse(T::NAME).map_err(unavailable(T::WHAT))?;
        let read = if is_again { self.secrets.read_again(&name) } else { self.secrets.read(&name) };
        let text = match (read.await, &self.entropy) {
            (Err(StoreError::NotFound), None) => return T::absent(),
            (Err(StoreError::NotFound), Some(entropy)) => {
                self.secrets.create_if_absent(&name, &T::generate(&**entropy)?).await?
            }
            (read, _) => read?,
        };
        T::parse(&text).map_err(unavailable(T::WHAT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{ManualClock, MemorySecrets};

    /// A number.
    #[derive(Debug, PartialEq)]
    struct Count(u32);

    impl SecretText for Count {
        const NAME: &'static str = "count";
        const WHAT: &'static str = "the count";
        const LOOKED_FOR: TimeDelta = TimeDelta::seconds(10);

        fn parse(text: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
            Ok(Self(text.parse()?))
        }

        fn generate(_: &dyn Entropy) -> Result<Zeroizing<String>, StoreError> {
            Ok(Zeroizing::new("1".to_owned()))
        }
    }
    fn name() -> Name {
        Name::parse(Count::NAME).unwrap()
    }

    fn known(secrets: &MemorySecrets, clock: &Arc<ManualClock>) -> KnownSecret<Count> {
        KnownSecret::reading(Arc::new(secrets.clone()), Arc::clone(clock) as _)
    }

    #[tokio::test]
    async fn a_change_is_heard_of_in_time_and_sooner_by_who_lacks_something() {
        let (secrets, clock) = (MemorySecrets::default(), Arc::new(ManualClock::default()));
        let known = known(&secrets, &clock);
        assert!(matches!(known.get().await, Err(StoreError::NotFound)));
        secrets.replace(&name(), "1");
        assert_eq!(*known.get().await.unwrap(), Count(1));
        secrets.replace(&name(), "2");
        clock.advance(TimeDelta::seconds(9));
        assert_eq!(*known.get_with(|count| count.0 > 1).await.unwrap(), Count(1), "it was just read");
        clock.advance(TimeDelta::seconds(1));
        assert_eq!(*known.get().await.unwrap(), Count(1));
        assert_eq!(*known.get_with(|count| count.0 > 1).await.unwrap(), Count(2));
        secrets.replace(&name(), "3");
        clock.advance(KEPT);
        assert_eq!(*known.get().await.unwrap(), Count(3));
    }

    #[tokio::test]
    async fn what_is_known_stays_where_the_secret_is_spoilt() {
        let (secrets, clock) = (MemorySecrets::default(), Arc::new(ManualClock::default()));
        secrets.replace(&name(), "seven");
        let known = known(&secrets, &clock);
        assert!(matches!(known.get().await, Err(StoreError::Unavailable { .. })));
        secrets.replace(&name(), "7");
        assert_eq!(*known.get().await.unwrap(), Count(7));
        secrets.replace(&name(), "eight");
        clock.advance(KEPT);
        assert_eq!(*known.get().await.unwrap(), Count(7));
    }
}
