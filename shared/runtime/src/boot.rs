//! The start of a process: reads what it was given and opens nothing. No network call is made before the first request.

use std::sync::Arc;

use app::ports::{Chance, Clock, Entropy, Ids};

use crate::{Env, MissingConfig, SystemChance, SystemClock, SystemEntropy, TimeOrderedIds, log, metrics};

/// What `main` builds a process's state from.
pub struct Boot {
    /// Configuration from the environment.
    pub env: Env,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Random numbers.
    pub chance: Arc<dyn Chance>,
    /// Keys and tokens.
    pub entropy: Arc<dyn Entropy>,
}

/// Why a process can't start. Its text names everything that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Configuration is missing or malformed.
    #[error(transparent)]
    Config(#[from] MissingConfig),
    /// Logs can't be set up.
    #[error(transparent)]
    Log(#[from] log::LogError),
}

/// Sets up logs and metrics under the name of `process`.
pub fn boot(process: &'static str) -> Result<Boot, BootError> {
    let env = Env::of_process();
    let (log_level, namespace) =
        env.collect(|e| (e.or("LOG_LEVEL", "info"), e.or("METRICS_NAMESPACE", "Heddle")))?;
    log::init(process, &log_level)?;
    metrics::set_namespace(namespace);
    Ok(Boot {
        env,
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeOrderedIds),
        chance: Arc::new(SystemChance),
        entropy: Arc::new(SystemEntropy),
    })
}
