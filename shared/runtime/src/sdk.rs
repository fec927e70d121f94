//! What AWS clients are made from.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use crate::{Env, MissingConfig};

/// Region, endpoint and a lazy source of credentials, for AWS clients. Takes a few milliseconds: `AWS_REGION` is required, since
/// finding it out would ask the network; credentials are fetched by the first call that needs them.
pub async fn sdk_config(env: &Env) -> Result<SdkConfig, MissingConfig> {
    let region = env.collect(|e| e.req("AWS_REGION"))?;
    let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let defaults = aws_config::defaults(BehaviorVersion::latest());
    Ok(defaults.region(Region::new(region)).http_client(https).load().await)
}
