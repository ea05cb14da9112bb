//! Files that only one transfer at a time works with, and that are never somebody else's.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::time::Duration;

/// How often, and how far apart, to look whether another transfer has let go of the file.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// Opens or makes a file and locks it; nothing if another transfer works with it. Blocks.
///
/// A `private` file is for its owner alone.
pub(super) fn open(path: &Path, private: bool) -> Result<Option<File>> {
    // A transfer that was just given up may still be writing its last piece.
    for _ in 0..TRIES {
        let file = open_or_create(path, private)?;
        if file.try_lock().is_ok() && is_still_at(&file, path) {
            return Ok(Some(file));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(None)
}

/// Opens a file and locks it, if it is there and no other transfer works with it. Blocks.
pub(super) fn open_free(path: &Path) -> Result<Option<File>> {
    let file = open_own(path)?;
    Ok((file.try_lock().is_ok() && is_still_at(&file, path)).then_some(file))
}

fn open_or_create(path: &Path, private: bool) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(windows)]
    let _ = private;
    // Never through a symbolic link.
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => open_own(path),
        created => created,
    }
}

/// Opens an existing file, unless it is a link to something else.
fn open_own(path: &Path) -> Result<File> {
    let foreign = || Error::other(format!("{} is in the way", path.display()));
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(foreign());
    }
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    if is_still_at(&file, path) { Ok(file) } else { Err(foreign()) }
}

/// Whether the file has this name, and no other.
#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |found: std::fs::Metadata| (found.dev(), found.ino(), found.nlink());
    let named = std::fs::symlink_metadata(path).map(id);
    named.is_ok_and(|named| named.2 == 1 && file.metadata().map(id).is_ok_and(|id| id == named))
}

/// Whether the file has this name: here files that are open cannot lose it.
#[cfg(windows)]
fn is_still_at(_: &File, _: &Path) -> bool {
    true
}
