//! How a transfer tells what it does. The library draws nothing.

use std::path::Path;
use std::time::Duration;

use crate::error::QuotaKind;

/// Is told what happens; called from any thread, often, and should return at once.
pub trait Progress: Send + Sync {
    /// Something happened.
    fn event(&self, event: TransferEvent<'_>);
}

/// What happens in a transfer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum TransferEvent<'a> {
    /// Bytes have arrived, in either direction.
    Advanced {
        /// How many, since the last such event.
        bytes: u64,
    },
    /// A file is complete and verified.
    Finished {
        /// The name of an upload, the local path of a download.
        path: &'a Path,
        /// Its size.
        bytes: u64,
    },
    /// Bytes of an earlier run are there already, and need not travel again.
    Resumed {
        /// How many, since the last such event.
        bytes: u64,
    },
    /// What had arrived is thrown away, because the transfer starts again.
    Restarted {
        /// How many bytes count no longer.
        bytes: u64,
    },
    /// A file begins.
    Started {
        /// The name of an upload, the local path of a download.
        path: &'a Path,
        /// Its size.
        bytes: u64,
    },
    /// The file is verified but for some chunks, which an old official uploader left out of its MAC: whether
    /// these are genuine nobody can say.
    Unchecked {
        /// The file's name.
        name: &'a str,
        /// How many chunks.
        chunks: u64,
    },
    /// Quota is used up, and the transfer waits.
    WaitingForQuota {
        /// Which quota.
        kind: QuotaKind,
        /// Until it tries again.
        wait: Duration,
    },
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn event(&self, _: TransferEvent<'_>) {}
}
