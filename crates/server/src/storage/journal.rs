//! What has arrived of an upload, kept beside its blob: whatever was acknowledged is there after a crash, and no
//! piece costs a transaction.
//!
//! Each piece appends a record of 16 bytes, its start and its end. A record that a crash cut short is
//! that of a piece nobody was told about.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::ranges::Ranges;

/// How long a record is.
const RECORD: usize = 16;

/// Where the journal of the blob at this path is.
pub(crate) fn path(blob: &Path) -> PathBuf {
    blob.with_extension("ranges")
}

/// The journal of one upload.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// Where the next record goes.
    end: u64,
}

impl Journal {
    /// Opens the journal of a blob, or begins one, and reads what it holds. Blocks.
    pub(super) fn open(blob: &Path, size: u64) -> std::io::Result<(Self, Ranges)> {
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).read(true).write(true);
        let mut file = options.open(path(blob))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut ranges = Ranges::default();
        let mut end = 0;
        let (records, _) = bytes.as_chunks::<RECORD>();
        for record in records {
            let (start, reached) = read(*record);
            if start > reached || reached > size {
                break;
            }
            ranges.add(start, reached);
            end += RECORD as u64;
        }
        Ok((Self { file, end }, ranges))
    }

    /// Notes bytes `start..end`. Blocks.
    pub(super) fn add(&mut self, start: u64, end: u64) -> std::io::Result<()> {
        let mut record = [0; RECORD];
        record[..8].copy_from_slice(&start.to_le_bytes());
        record[8..].copy_from_slice(&end.to_le_bytes());
        // A record that could not be written whole is written over.
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&record)?;
        self.end += RECORD as u64;
        Ok(())
    }
}

fn read(record: [u8; RECORD]) -> (u64, u64) {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte));
    (number(&record[..8]), number(&record[8..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_read_again_without_what_was_cut_short() {
        let folder = tempfile::tempdir().unwrap();
        let blob = folder.path().join("7");
        let (mut journal, ranges) = Journal::open(&blob, 100).unwrap();
        assert_eq!(ranges, Ranges::default());
        journal.add(0, 10).unwrap();
        journal.add(90, 100).unwrap();
        drop(journal);
        let path = path(&blob);
        assert_eq!(path, folder.path().join("7.ranges"));
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend_from_slice(&[10, 0, 0, 0, 0]);
        std::fs::write(&path, torn).unwrap();
        let (mut journal, mut ranges) = Journal::open(&blob, 100).unwrap();
        ranges.add(10, 90);
        assert!(ranges.cover(100));
        // The next record takes the place of the torn one.
        journal.add(10, 90).unwrap();
        assert!(Journal::open(&blob, 100).unwrap().1.cover(100));
        // What lies outside the file is no record of it.
        assert!(!Journal::open(&blob, 95).unwrap().1.cover(95));
    }
}
