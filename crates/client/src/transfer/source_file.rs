//! A local file that is uploaded: read at any place, and known again if it has changed.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use supermega_crypto::{Fingerprint, FingerprintHasher};
use supermega_encoding::base64;

use super::local_file::modified;
use super::positioned;
use crate::error::{Error, Result};

/// A file to upload, as it was when it was opened.
pub(super) struct SourceFile {
    file: File,
    path: PathBuf,
    pub size: u64,
    /// Modification time in seconds since 1970.
    pub mtime: Option<i64>,
    /// What the operating system says of it, and its sparse checksum.
    identity: (String, [u8; 16]),
}

impl SourceFile {
    /// Opens a file. Blocks.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::local(path))?;
        let metadata = file.metadata().map_err(Error::local(path))?;
        if !metadata.is_file() {
            return Err(Error::Refused(format!("{} is not a file", path.display())));
        }
        let size = metadata.len();
        let checksum = checksum(&file, size).map_err(failed(path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            size,
            mtime: modified(&metadata),
            identity: (describe(&metadata), checksum),
        })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What tells this file, in this state, from others.
    pub(super) fn identity(&self) -> String {
        format!("{}-{}", self.identity.0, base64::encode(&self.identity.1))
    }

    /// The fingerprint with a time of its own.
    pub(super) fn fingerprint(&self, mtime: i64) -> Fingerprint {
        Fingerprint { crc: self.identity.1, mtime }
    }

    /// Fills a buffer from `offset` on. Blocks.
    pub(super) fn read(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        positioned::read_at(&self.file, bytes, offset).map_err(failed(&self.path))
    }

    /// Fails if the file is not what it was when it was opened. Blocks.
    pub(super) fn must_be_unchanged(&self) -> Result<()> {
        let metadata = std::fs::metadata(&self.path).map_err(Error::local(&self.path))?;
        let checksum = checksum(&self.file, self.size).map_err(failed(&self.path))?;
        match (describe(&metadata), checksum) == self.identity {
            true => Ok(()),
            false => Err(changed(&self.path)),
        }
    }
}

/// Size, modification time as exact as it is kept, and place on the disk.
fn describe(metadata: &Metadata) -> String {
    let time = metadata.modified().ok().map(|time| match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos().to_string(),
        Err(before) => format!("{}b", before.duration().as_nanos()),
    });
    #[cfg(unix)]
    let place = {
        use std::os::unix::fs::MetadataExt;
        format!("{}-{}", metadata.dev(), metadata.ino())
    };
    #[cfg(windows)]
    let place = String::new();
    format!("{}-{}-{place}", metadata.len(), time.unwrap_or_default())
}

/// The sparse checksum of a fingerprint: at most 8 KiB are read.
fn checksum(file: &File, size: u64) -> std::io::Result<[u8; 16]> {
    let mut hasher = FingerprintHasher::new(size);
    let mut bytes = Vec::new();
    while let Some(range) = hasher.next_range() {
        hasher.skip_to(range.start);
        bytes.resize(usize::try_from(range.end - range.start).unwrap_or(0), 0);
        positioned::read_at(file, &mut bytes, range.start)?;
        hasher.update(&bytes);
    }
    Ok(hasher.finish(0).crc)
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => changed(&path),
        _ => Error::local(path)(error),
    }
}

fn changed(path: &Path) -> Error {
    let source = std::io::Error::other("the file changed while it was read");
    Error::Local { path: path.to_owned(), source }
}
