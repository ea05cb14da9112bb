//! Where the files are: below one directory, readable by their owner alone.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::file::Trouble;

/// What files in the making begin with.
const UNFINISHED: &str = ".new-";
/// Nobody makes a file for so long.
const ABANDONED: Duration = Duration::from_hours(24);

/// The directory of all files.
#[derive(Clone, Debug)]
pub(crate) struct CacheDir(pub PathBuf);

/// The place of one file.
pub(super) struct Place {
    dir: PathBuf,
    path: PathBuf,
}

impl Place {
    pub(super) fn new(CacheDir(dir): &CacheDir, name: &str) -> Self {
        Self { dir: dir.clone(), path: dir.join(format!("{name}.sqlite")) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a file under another name, which gets its own when it is whole. Where there is one by then, that
    /// one stays.
    pub(super) fn make(
        &self,
        make: impl FnOnce(&Path) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir)?;
        self.sweep();
        // Readable by its owner alone.
        let file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.dir)?;
        let path = file.into_temp_path();
        make(&path)?;
        match path.persist_noclobber(&self.path) {
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            persisted => Ok(persisted.map_err(|error| error.error)?),
        }
    }

    /// Removes what killed processes have left behind.
    fn sweep(&self) {
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            let age = modified.and_then(|modified| SystemTime::now().duration_since(modified).ok());
            if unfinished && age.is_some_and(|age| age > ABANDONED) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Removes the file, and what was set aside.
    pub(super) fn remove(&self) {
        self.remove_beside();
        for path in [&self.path, &self.path.with_extension("damaged")] {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Moves the file out of the way.
    pub(super) fn set_aside(&self) {
        self.remove_beside();
        if std::fs::rename(&self.path, self.path.with_extension("damaged")).is_err() {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// Removes what the database has beside its file.
    fn remove_beside(&self) {
        for beside in ["-wal", "-shm"] {
            let mut path = self.path.clone().into_os_string();
            path.push(beside);
            let _ = std::fs::remove_file(path);
        }
    }
}
