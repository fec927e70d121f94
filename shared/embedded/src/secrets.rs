//! Deployment secrets as files.

use std::{fs, io, path::Path, sync::Arc};

use app::ports::{DeploymentSecrets, Name, StoreError};
use async_trait::async_trait;
use tokio::task::spawn_blocking;

use crate::{error::unavailable, files::PrivateFolder};

/// Secrets in a folder: a file per secret, named after it, that only the user who runs Heddle can read (mode 0600). To replace a
/// secret, replace its file; every read goes to the disk.
#[derive(Debug, Clone)]
pub struct FolderSecrets(PrivateFolder);

impl FolderSecrets {
    /// The secrets in this folder, which is made if it is not there.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        PrivateFolder::open(path.as_ref()).map(Self).map_err(unavailable("open the folder of secrets"))
    }

    /// Replaces a secret.
    pub async fn replace(&self, name: &Name, text: &str) -> Result<(), StoreError> {
        const REPLACE: &str = "replace a secret";
        let (folder, file, bytes) = (self.0.clone(), name.to_string(), text.as_bytes().to_vec());
        let replaced = spawn_blocking(move || folder.replace(&file, &bytes)).await;
        replaced.map_err(unavailable(REPLACE))?.map_err(unavailable(REPLACE))
    }
}

#[async_trait]
impl DeploymentSecrets for FolderSecrets {
    async fn read(&self, name: &Name) -> Result<Arc<str>, StoreError> {
        let path = self.0.path(name.as_str());
        let read = spawn_blocking(move || fs::read_to_string(path)).await.map_err(unavailable(READ))?;
        match read {
            Ok(text) => Ok(text.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::NotFound),
            Err(error) => Err(unavailable(READ)(error)),
        }
    }

    async fn read_again(&self, name: &Name) -> Result<Arc<str>, StoreError> {
        self.read(name).await
    }

    async fn create_if_absent(&self, name: &Name, text: &str) -> Result<Arc<str>, StoreError> {
        const CREATE: &str = "create a secret";
        let (folder, file, bytes) = (self.0.clone(), name.to_string(), text.as_bytes().to_vec());
        let created = spawn_blocking(move || folder.create(&file, &bytes)).await;
        let is_new = created.map_err(unavailable(CREATE))?.map_err(unavailable(CREATE))?;
        if is_new { Ok(text.into()) } else { self.read(name).await }
    }
}

const READ: &str = "read a secret";
