//! Files that are whole or not there.

use std::{
    fs::{DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A folder whose files only this user can read.
#[derive(Debug, Clone)]
pub(crate) struct PrivateFolder(PathBuf);

impl PrivateFolder {
    /// The folder, made if it is not there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(path.to_owned()))
    }

    /// Where a file of this name is or would be.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file in place of the one of this name: whoever reads gets the one or the other. On return it is on the disk. Blocks.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.0)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(self.path(name)).map_err(|refused| refused.error)?;
        File::open(&self.0)?.sync_all()
    }

    /// Writes a file unless there is one of this name; answers whether it did. On return the file of that name is on the disk, whoever
    /// wrote it. Blocks.
    pub(crate) fn create(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        // Readable by this user only, and under a name that begins with a dot until it is complete.
        let mut file = NamedTempFile::new_in(&self.0)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        let is_new = match file.persist_noclobber(self.path(name)) {
            Ok(_) => true,
            Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(refused) => return Err(refused.error),
        };
        File::open(&self.0)?.sync_all()?;
        Ok(is_new)
    }
}
