//! Blobs in one S3 bucket. `object_store` speaks S3 in a tenth of the code that the whole SDK of S3 brings into a binary
//! (docs/decisions/0006); region, endpoint and credentials are those of every other client.

use std::sync::Arc;

use app::ports::{StoreError, unavailable};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use blobs::{
    ObjectBlobs,
    object_store::{
        self, CredentialProvider,
        aws::{AmazonS3Builder, AwsCredential},
    },
};

/// Large values of runs in this bucket.
pub fn s3_blobs(sdk: &SdkConfig, bucket: &str) -> Result<ObjectBlobs, StoreError> {
    // Whoever built a client before us has chosen the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
    if let Some(region) = sdk.region() {
        builder = builder.with_region(region.as_ref());
    }
    if let Some(endpoint) = sdk.endpoint_url() {
        // Plain HTTP only where a deployment names such an endpoint itself: an emulator.
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    if let Some(provider) = sdk.credentials_provider() {
        builder = builder.with_credentials(Arc::new(SdkCredentials(provider)));
    }
    let bucket = builder.build().map_err(unavailable("open the bucket of blobs"))?;
    Ok(ObjectBlobs::new(Arc::new(bucket)))
}

/// The SDK's credentials, asked for each request: on Lambda they stand in the environment.
#[derive(Debug)]
struct SdkCredentials(SharedCredentialsProvider);

#[async_trait]
impl CredentialProvider for SdkCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let found = self.0.provide_credentials().await;
        let found =
            found.map_err(|error| object_store::Error::Generic { store: "S3", source: Box::new(error) })?;
        Ok(Arc::new(AwsCredential {
            key_id: found.access_key_id().to_owned(),
            secret_key: found.secret_access_key().to_owned(),
            token: found.session_token().map(str::to_owned),
        }))
    }
}
