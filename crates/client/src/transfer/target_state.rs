//! How what is at a transfer's target compares with what would come there.

use std::path::Path;

use super::local_file;
use crate::error::{Error, Result};

/// Times that differ by as many seconds count as the same: some file systems keep no finer ones.
const TIME_TOLERANCE: u64 = 2;

/// What a planned file will find at its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// Nothing.
    Absent,
    /// Something else.
    Different,
    /// The same by size and modification time.
    Same,
}

impl TargetState {
    /// Compares what is at a local path with a file of `size` bytes, changed at `modified` seconds since
    /// 1970. May block.
    pub fn of(path: &Path, size: u64, modified: Option<i64>) -> Result<Self> {
        match std::fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Self::compare(&metadata, size, modified)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::Absent),
            Err(error) => Err(Error::local(path)(error)),
        }
    }

    /// Compares a local file with a remote one.
    pub(super) fn compare(metadata: &std::fs::Metadata, size: u64, modified: Option<i64>) -> Self {
        let same_time = match (modified, local_file::modified(metadata)) {
            (Some(remote), Some(local)) => remote.abs_diff(local) <= TIME_TOLERANCE,
            _ => false,
        };
        if metadata.is_file() && metadata.len() == size && same_time {
            Self::Same
        } else {
            Self::Different
        }
    }
}
