//! The start of a process: reads what it was given and opens nothing. No network call is made before the first request.

use std::sync::Arc;

use app::ports::{Chance, Clock, Ids};
use aws_config::{BehaviorVersion, Region, SdkConfig};

use crate::{Env, MissingConfig, SystemChance, SystemClock, TimeOrderedIds, log, metrics};

/// What `main` builds a function's state from.
pub struct Boot {
    /// Configuration from the environment.
    pub env: Env,
    /// Region, endpoint and a lazy source of credentials, for AWS clients.
    pub sdk: SdkConfig,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Random numbers.
    pub chance: Arc<dyn Chance>,
}

/// Why a function can't start. Its text names everything that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Configuration is missing or malformed.
    #[error(transparent)]
    Config(#[from] MissingConfig),
    /// Logs can't be set up.
    #[error(transparent)]
    Log(#[from] log::LogError),
}

struct BootConfig {
    log_level: String,
    namespace: String,
    region: String,
}

/// Sets up logs and metrics under the name of `function` and loads the AWS configuration. Takes a few milliseconds: the region is
/// required, since finding it out would ask the network; credentials are fetched by the first call that needs them.
pub async fn boot(function: &'static str) -> Result<Boot, BootError> {
    let env = Env::of_process();
    let config = env.collect(|e| BootConfig {
        log_level: e.or("LOG_LEVEL", "info"),
        namespace: e.or("METRICS_NAMESPACE", "Heddle"),
        region: e.req("AWS_REGION"),
    })?;
    log::init(function, &config.log_level)?;
    metrics::set_namespace(config.namespace);
    let sdk = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(config.region)).load().await;
    Ok(Boot {
        env,
        sdk,
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeOrderedIds),
        chance: Arc::new(SystemChance),
    })
}
