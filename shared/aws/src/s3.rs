//! Blobs in one S3 bucket, `blobs/<team>/<sha256>`.

use app::ports::{Blobs, StoreError};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::{Client, config::Builder, operation::get_object::GetObjectError};
use domain::TeamId;
use engine::Digest;

use crate::unavailable;

/// Large values of runs in S3.
#[derive(Debug, Clone)]
pub struct S3Blobs {
    client: Client,
    bucket: String,
}

impl S3Blobs {
    /// Blobs in this bucket.
    pub fn new(sdk: &SdkConfig, bucket: impl Into<String>) -> Self {
        // The bucket in the path is understood by S3 and by every emulator; as a host name only where DNS plays along.
        let config = Builder::from(sdk).force_path_style(true).build();
        Self { client: Client::from_conf(config), bucket: bucket.into() }
    }
}

fn key(team: TeamId, digest: &Digest) -> String {
    format!("blobs/{team}/{digest}")
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, team: TeamId, digest: &Digest, bytes: Vec<u8>) -> Result<(), StoreError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key(team, digest)).body(bytes.into());
        put.send().await.map(drop).map_err(unavailable("store a blob"))
    }

    async fn get(&self, team: TeamId, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let doing = "read a blob";
        let get = self.client.get_object().bucket(&self.bucket).key(key(team, digest));
        let object = match get.send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Err(StoreError::NotFound);
            }
            Err(error) => return Err(unavailable(doing)(error)),
        };
        let bytes = object.body.collect().await.map_err(unavailable(doing))?;
        Ok(bytes.into_bytes().into())
    }
}
