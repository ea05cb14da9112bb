//! The folder of a server that keeps nothing. It goes away with the server; what one that was killed has left goes
//! when the next one starts.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use tempfile::TempDir;

const PREFIX: &str = "supermega-server-";
/// Only folders of servers that keep nothing have it, and a live server holds a lock on it.
const LOCK: &str = "ephemeral";

/// Makes a folder, and removes those whose servers are gone.
pub(crate) fn make(parent: &Path) -> io::Result<(TempDir, File)> {
    let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
    // Nobody else sees the file before it is locked.
    let unready = dir.path().join("ephemeral.new");
    let lock = File::create(&unready)?;
    lock.lock()?;
    std::fs::rename(unready, dir.path().join(LOCK))?;
    sweep(parent, dir.path());
    Ok((dir, lock))
}

/// Lets no later server remove a folder that somebody has named as one to keep.
pub(crate) fn keep(data: &Path) {
    let _ = std::fs::remove_file(data.join(LOCK));
}

/// What cannot be removed, because it is another user's or just goes away, is left alone.
fn sweep(parent: &Path, own: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    let ours = |name: &OsStr| name.to_str().is_some_and(|name| name.starts_with(PREFIX));
    let folders = entries.flatten().filter(|entry| ours(&entry.file_name()));
    for folder in folders.map(|entry| entry.path()).filter(|path| path != own) {
        if let Some(_lock) = lock_of_the_dead(&folder, own) {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// The lock of a folder whose server is gone.
fn lock_of_the_dead(folder: &Path, own: &Path) -> Option<File> {
    let found = std::fs::symlink_metadata(folder).ok()?;
    if !found.is_dir() || !same_owner(&found, &std::fs::metadata(own).ok()?) {
        return None;
    }
    let lock = File::open(folder.join(LOCK)).ok()?;
    lock.try_lock().ok()?;
    Some(lock)
}

#[cfg(unix)]
fn same_owner(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    one.uid() == other.uid()
}

/// Temporary folders are each user's own.
#[cfg(not(unix))]
fn same_owner(_: &Metadata, _: &Metadata) -> bool {
    true
}
