//! Reads what is in memory already, which holds nobody up: the disk's cache, or a file system that has no disk.

use std::fs::File;

/// Where the bytes of an open file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    /// In memory, all of them.
    Memory,
    /// On a disk, some of them in its cache too.
    Disk,
}

#[cfg(target_os = "linux")]
impl Medium {
    /// Where the bytes of this file are. Blocks.
    pub(super) fn of(file: &File) -> Self {
        const TMPFS: i128 = 0x0102_1994;
        match rustix::fs::fstatfs(file) {
            // Its type is another one on each architecture; this holds them all.
            Ok(system) if i128::from(system.f_type) == TMPFS => Self::Memory,
            _ => Self::Disk,
        }
    }

    /// Reads from `at` on as much as is in memory in one piece; gives how many bytes that were.
    pub(super) fn read_at_hand(self, file: &File, at: u64, into: &mut [u8]) -> usize {
        use std::io::IoSliceMut;

        use rustix::io::{ReadWriteFlags, preadv2};

        let flags = match self {
            Self::Memory => ReadWriteFlags::empty(),
            Self::Disk => ReadWriteFlags::NOWAIT,
        };
        let mut read = 0;
        while read < into.len() {
            let mut rest = [IoSliceMut::new(&mut into[read..])];
            match preadv2(file, &mut rest, at + read as u64, flags) {
                Ok(0) | Err(_) => break,
                Ok(more) => read += more,
            }
        }
        read
    }
}

#[cfg(not(target_os = "linux"))]
impl Medium {
    /// Nothing is known of it here.
    pub(super) fn of(_: &File) -> Self {
        Self::Disk
    }

    /// Nothing: no system but Linux says what is in memory.
    pub(super) fn read_at_hand(self, _: &File, _: u64, _: &mut [u8]) -> usize {
        0
    }
}
