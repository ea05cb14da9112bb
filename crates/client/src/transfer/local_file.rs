//! A local file that gets its name only when it is complete.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};
use crate::unix_time;

/// What to do with a file that has the target's name already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Leave it and fail.
    #[default]
    Keep,
    /// Replace it, once the new one is complete.
    Replace,
}

/// A file in the making, beside its target and under another name. Dropping it removes it.
pub(super) struct PartFile {
    file: NamedTempFile,
    target: PathBuf,
    existing: Existing,
}

impl PartFile {
    pub(super) fn create(target: &Path, existing: Existing) -> Result<Self> {
        check_target(target, existing)?;
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".supermega-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // What the user's umask leaves of it, as for any new file.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder).map_err(Error::local(folder))?;
        Ok(Self { file, target: target.to_owned(), existing })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        // The file itself: what wraps it would put its own path into the error.
        self.file.as_file_mut().write_all(bytes).map_err(Error::local(&self.target))
    }

    /// Makes the bytes durable, sets the time and gives the file its name.
    pub(super) fn finish(self, modified: Option<i64>) -> Result<()> {
        let failed = |error| Error::local(&self.target)(error);
        if let Some(time) = modified.and_then(unix_time::to_system) {
            // A file system that keeps no such time still keeps the file.
            let _ = self.file.as_file().set_modified(time);
        }
        self.file.as_file().sync_all().map_err(failed)?;
        check_target(&self.target, self.existing)?;
        let persisted = match self.existing {
            Existing::Keep => self.file.persist_noclobber(&self.target),
            Existing::Replace => self.file.persist(&self.target),
        };
        match persisted {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(Error::AlreadyExists { path: self.target.display().to_string() })
            }
            Err(error) => Err(Error::local(&self.target)(error.error)),
        }
    }
}

/// A folder is never replaced by a file, and a file only if that is wanted.
fn check_target(target: &Path, existing: Existing) -> Result<()> {
    match std::fs::symlink_metadata(target) {
        Ok(found) if found.is_dir() || existing == Existing::Keep => {
            Err(Error::AlreadyExists { path: target.display().to_string() })
        }
        _ => Ok(()),
    }
}

/// A file's modification time in seconds since 1970.
pub(super) fn modified(metadata: &std::fs::Metadata) -> Option<i64> {
    metadata.modified().ok().and_then(unix_time::of)
}
