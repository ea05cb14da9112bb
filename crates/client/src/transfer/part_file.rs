//! A file in the making: beside its target, under a name that a later run finds again, with a journal of
//! the chunks that are in it.
//!
//! The journal lies behind the content in the same file, so that both come and go together: the file is cut
//! to its size in the moment before it gets its name. A record holds a chunk's number and MAC. Nothing that
//! a record says is believed: a chunk counts as there when the bytes in the file have this MAC, so that a
//! machine that loses power cannot lie, and no record waits for the disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use supermega_crypto::{ChunkMac, FileKey};
use tempfile::TempPath;

use super::local_file::{Existing, check_target};
use super::{SEGMENT, locked_file, positioned};
use crate::error::{Error, Result};
use crate::unix_time;

const MAGIC: &[u8; 8] = b"smgpart1";
/// Magic, and what tells one file from another.
const HEADER: u64 = 8 + 32;
/// Number, MAC, check.
const RECORD: usize = 8 + 16 + 8;
const PREFIX: &str = ".supermega-";
const SUFFIX: &str = ".part";

/// A file in the making. Dropping it keeps what a later run can go on with, and nothing else.
pub(super) struct PartFile {
    file: File,
    /// Nothing once the file has its name.
    path: Mutex<Option<TempPath>>,
    target: PathBuf,
    existing: Existing,
    /// Whether a later run may go on with it.
    keep: bool,
    size: u64,
    id: [u8; 32],
    journal: Mutex<Journal>,
    /// Whether nobody waits for it any more: then it gets no name.
    given_up: AtomicBool,
}

/// What the journal says.
#[derive(Default)]
struct Journal {
    /// Where the next record goes.
    end: u64,
    /// Whether there is anything that a later run can use.
    is_useful: bool,
}

/// What an earlier run left.
pub(super) enum Left {
    /// These chunks, if their MACs agree.
    Chunks(BTreeMap<u64, ChunkMac>),
    /// Perhaps everything: it ended when the file was about to get its name.
    Everything,
}

/// Whether a local file's name is that of a file in the making.
pub(super) fn is_part_name(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Where the file that will be `target` is made.
fn part_path(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default();
    let hash = Sha256::digest(name.as_encoded_bytes());
    // Ten bytes, in digits that every file system tells apart.
    let number = u128::from_be_bytes(std::array::from_fn(|i| hash[i])) >> 48;
    let name = format!("{PREFIX}{number:020x}{SUFFIX}");
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.join(name),
        _ => Path::new(".").join(name),
    }
}

/// Removes what an earlier run left for this target. May block.
pub(super) fn forget(target: &Path) -> Result<()> {
    match std::fs::remove_file(part_path(target)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::local(target)(error))
        }
        _ => Ok(()),
    }
}

impl PartFile {
    /// Opens the file in the making for `target`, or begins it. Blocks.
    pub(super) fn open(
        target: &Path,
        existing: Existing,
        key: &FileKey,
        size: u64,
        keep: bool,
    ) -> Result<(Self, Left)> {
        check_target(target, existing)?;
        let path = part_path(target);
        let mut part = Self {
            file: open_locked(&path, target)?,
            path: Mutex::default(),
            target: target.to_owned(),
            existing,
            keep,
            size,
            id: identity(key, size),
            journal: Mutex::default(),
            given_up: AtomicBool::new(false),
        };
        let left = part.read().map_err(Error::local(target))?;
        if left.is_none() {
            // What another file left here is of no use, and who knows who made it.
            std::fs::remove_file(&path).map_err(Error::local(target))?;
            part.file = open_locked(&path, target)?;
            part.begin()?;
        }
        let left = left.unwrap_or_else(|| Left::Chunks(BTreeMap::new()));
        part.path = Mutex::new(Some(temporary(path, target)?));
        Ok((part, left))
    }

    /// Reads what an earlier run left, if it was the same file.
    fn read(&self) -> std::io::Result<Option<Left>> {
        let length = self.file.metadata()?.len();
        if length == self.size && length > 0 {
            locked(&self.journal).is_useful = true;
            return Ok(Some(Left::Everything));
        }
        if length < self.size + HEADER {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(length - self.size).unwrap_or(0)];
        positioned::read_at(&self.file, &mut bytes, self.size)?;
        let (header, records) = bytes.split_at(40.min(bytes.len()));
        if header.len() < 40 || &header[..8] != MAGIC || header[8..] != self.id {
            return Ok(None);
        }
        let mut chunks = BTreeMap::new();
        let mut end = self.size + HEADER;
        for record in records.chunks_exact(RECORD) {
            let (body, check) = record.split_at(24);
            if self.check(body) != check {
                break;
            }
            let (number, mac) = body.split_at(8);
            let number = number.try_into().map_or(u64::MAX, u64::from_le_bytes);
            let mac = mac.try_into().map_or([0; 16], |mac: [u8; 16]| mac);
            chunks.insert(number, ChunkMac::from_bytes(mac));
            end += RECORD as u64;
        }
        *locked(&self.journal) = Journal { end, is_useful: !chunks.is_empty() };
        Ok(Some(Left::Chunks(chunks)))
    }

    /// Begins anew, with nothing in the file. Blocks.
    pub(super) fn begin(&self) -> Result<()> {
        let end = self.size + HEADER;
        *locked(&self.journal) = Journal { end, is_useful: false };
        self.file.set_len(0).map_err(Error::local(&self.target))?;
        if self.has_journal() {
            let mut header = MAGIC.to_vec();
            header.extend_from_slice(&self.id);
            positioned::write_at(&self.file, &header, self.size)
                .map_err(Error::local(&self.target))?;
        }
        Ok(())
    }

    /// A file that comes in one piece needs none.
    fn has_journal(&self) -> bool {
        self.size > SEGMENT
    }

    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        // One at a time: the system would let the others wait too, and burn a processor meanwhile.
        let _turn = locked(&self.journal);
        positioned::write_at(&self.file, bytes, offset).map_err(Error::local(&self.target))
    }

    pub(super) fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        positioned::read_at(&self.file, bytes, offset).map_err(Error::local(&self.target))
    }

    /// Notes chunks that are in the file, of which `first` is the first. Blocks.
    pub(super) fn note(&self, first: u64, macs: &[ChunkMac]) -> Result<()> {
        if !self.has_journal() {
            return Ok(());
        }
        let mut records = Vec::with_capacity(macs.len() * RECORD);
        for (number, mac) in (first..).zip(macs) {
            let mut body = number.to_le_bytes().to_vec();
            body.extend_from_slice(mac.as_bytes());
            records.extend_from_slice(&body);
            records.extend_from_slice(&self.check(&body));
        }
        let mut journal = locked(&self.journal);
        positioned::write_at(&self.file, &records, journal.end)
            .map_err(Error::local(&self.target))?;
        journal.end += records.len() as u64;
        journal.is_useful = true;
        Ok(())
    }

    /// What follows a record, so that a torn one is known.
    fn check(&self, body: &[u8]) -> [u8; 8] {
        let hash = Sha256::new().chain_update(self.id).chain_update(body).finalize();
        let mut check = [0; 8];
        check.copy_from_slice(&hash[..8]);
        check
    }

    /// Makes the bytes durable, sets the time and gives the file its name. Blocks.
    pub(super) fn finish(&self, modified: Option<i64>) -> Result<()> {
        let failed = |error| Error::local(&self.target)(error);
        self.file.set_len(self.size).map_err(failed)?;
        if let Some(time) = modified.and_then(unix_time::to_system) {
            // A file system that keeps no such time still keeps the file.
            let _ = self.file.set_modified(time);
        }
        self.file.sync_all().map_err(failed)?;
        check_target(&self.target, self.existing)?;
        let mut path = locked(&self.path);
        if self.given_up.load(Ordering::Relaxed) {
            return Ok(());
        }
        let Some(path) = path.take() else { return Ok(()) };
        let persisted = match self.existing {
            Existing::Keep => path.persist_noclobber(&self.target),
            Existing::Replace => path.persist(&self.target),
        };
        persisted.map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Error::AlreadyExists { path: self.target.display().to_string() }
            }
            _ => Error::local(&self.target)(error.error),
        })
    }

    /// Lets the file get no name any more, unless it has it.
    pub(super) fn give_up(&self) {
        let _path = locked(&self.path);
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Throws everything away.
    pub(super) fn discard(&self) {
        locked(&self.journal).is_useful = false;
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if self.keep
            && locked(&self.journal).is_useful
            && let Some(path) = locked(&self.path).take()
        {
            // If this fails, the file goes away, and a later run begins anew.
            let _ = path.keep();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn temporary(path: PathBuf, target: &Path) -> Result<TempPath> {
    // A relative path would mean another file after a change of the working directory.
    let path = std::path::absolute(path).map_err(Error::local(target))?;
    TempPath::try_from_path(path).map_err(Error::local(target))
}

/// What tells this file from any other. The key decides on the content, and this does not give it away.
fn identity(key: &FileKey, size: u64) -> [u8; 32] {
    let hash = Sha256::new().chain_update(key.as_bytes()).chain_update(size.to_le_bytes());
    hash.finalize().into()
}

/// Opens or makes a file that no other transfer writes to.
fn open_locked(path: &Path, target: &Path) -> Result<File> {
    locked_file::open(path, false).map_err(Error::local(target))?.ok_or_else(|| {
        Error::Refused(format!("{} is being written by another transfer", target.display()))
    })
}
