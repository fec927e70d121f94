//! Large values of runs as objects, `blobs/<team>/<sha256>`, and files that a team takes its data away in,
//! `exports/<team>/<name>`: the same adapter over a bucket and over a folder.
//!
//! A blob stays when a run that refers to it is deleted: others may have the same value, and published versions lie here too.
//!
//! - `s3` (a cargo feature): what [`ObjectBlobs`] needs to stand on Amazon S3; the `aws` crate signs its requests.
//! - `folder` (a cargo feature): [`ObjectBlobs::in_folder`].

use std::sync::Arc;

use app::ports::{Blobs, Exports, StoreError, unavailable};
use async_trait::async_trait;
use domain::TeamId;
use engine::Digest;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, path::Path};

#[cfg(feature = "s3")]
pub use object_store;

/// Blobs in any object store.
#[derive(Debug, Clone)]
pub struct ObjectBlobs {
    objects: Arc<dyn ObjectStore>,
}

impl ObjectBlobs {
    /// Blobs in this store.
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects }
    }

    /// Blobs in a folder, which is made where it is missing. A blob is on the disk (fsync) when `put` answers, and is written
    /// beside its place and then moved there, so that a crash leaves it whole or absent.
    #[cfg(feature = "folder")]
    pub fn in_folder(folder: &std::path::Path) -> Result<Self, StoreError> {
        let doing = "open the folder of blobs";
        std::fs::create_dir_all(folder).map_err(unavailable(doing))?;
        let objects =
            object_store::local::LocalFileSystem::new_with_prefix(folder).map_err(unavailable(doing))?;
        Ok(Self::new(Arc::new(objects.with_fsync(true))))
    }
}

fn export_place(team: TeamId, name: &str) -> Path {
    Path::from(format!("exports/{team}/{name}"))
}

fn place(team: TeamId, digest: &Digest) -> Path {
    Path::from(format!("blobs/{team}/{digest}"))
}

impl ObjectBlobs {
    async fn read(&self, place: &Path, doing: &'static str) -> Result<Vec<u8>, StoreError> {
        let found = async { self.objects.get(place).await?.bytes().await };
        match found.await {
            Ok(bytes) => Ok(bytes.into()),
            Err(Error::NotFound { .. }) => Err(StoreError::NotFound),
            Err(error) => Err(unavailable(doing)(error)),
        }
    }
}

#[async_trait]
impl Blobs for ObjectBlobs {
    async fn put(&self, team: TeamId, digest: &Digest, bytes: Vec<u8>) -> Result<(), StoreError> {
        let put = self.objects.put(&place(team, digest), bytes.into()).await;
        put.map(drop).map_err(unavailable("store a blob"))
    }

    async fn get(&self, team: TeamId, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        self.read(&place(team, digest), "read a blob").await
    }
}

#[async_trait]
impl Exports for ObjectBlobs {
    async fn put_export(&self, team: TeamId, name: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let put = self.objects.put(&export_place(team, name), bytes.into()).await;
        put.map(drop).map_err(unavailable("store an export"))
    }

    async fn export(&self, team: TeamId, name: &str) -> Result<Vec<u8>, StoreError> {
        self.read(&export_place(team, name), "read an export").await
    }
}
