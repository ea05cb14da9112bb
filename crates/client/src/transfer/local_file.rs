//! Local files at the ends of transfers.

use std::path::Path;

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

/// A folder is never replaced by a file, and a file only if that is wanted.
pub(super) fn check_target(target: &Path, existing: Existing) -> Result<()> {
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
