//! What lies in a directory of kept trees, as far as that is seen without a key.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::file::{APPLICATION, FORMAT};

/// What SQLite files begin with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where their header has the application's numbers.
const USER_VERSION: usize = 60;
const APPLICATION_ID: usize = 68;

/// What a directory of kept trees holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptTrees {
    /// How many trees this version can read, if they are whole.
    pub trees: usize,
    /// Files that it cannot read: of another format, set aside as damaged, or something else.
    pub unusable: Vec<PathBuf>,
    /// How much room all of them take.
    pub bytes: u64,
}

impl KeptTrees {
    /// Looks into a directory. One that does not exist holds nothing. Blocks.
    pub fn in_dir(dir: impl AsRef<Path>) -> std::io::Result<Self> {
        let mut kept = Self::default();
        let entries = match std::fs::read_dir(dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(kept),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            kept.bytes += entry.metadata().map_or(0, |metadata| metadata.len());
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("sqlite") if is_readable(&path) => kept.trees += 1,
                // What a database has beside its file, and a file in the making.
                Some("sqlite-wal" | "sqlite-shm") | None => {}
                _ => kept.unusable.push(path),
            }
        }
        kept.unusable.sort();
        Ok(kept)
    }
}

fn is_readable(path: &Path) -> bool {
    let mut header = [0; 100];
    let number = |header: &[u8], at: usize| {
        header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes)
    };
    File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok()
        && header.starts_with(MAGIC)
        && number(&header, APPLICATION_ID) == Some(APPLICATION)
        && number(&header, USER_VERSION) == Some(FORMAT)
}
