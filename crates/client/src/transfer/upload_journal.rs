//! What an unfinished upload leaves for a later run: where it went, with which key, and how far it came.
//!
//! A line a record, each with a check behind it; what follows a torn one counts for nothing. The key is
//! wrapped by the account's master key.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use supermega_crypto::ChunkMac;
use supermega_encoding::{UploadToken, base64};
use supermega_protocol::StorageUrl;

use super::locked_file;
use super::source_file::SourceFile;
use crate::error::{Error, Result};
use crate::private_folder::make_private_folder;
use crate::transport::request_id;

const SUFFIX: &str = ".upload";

/// The journal of one upload, which no other upload writes to meanwhile.
pub(super) struct UploadJournal {
    file: File,
    path: PathBuf,
    request: Mutex<Option<Request>>,
}

/// The request for the node: with the same id and the same content it is carried out once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Request {
    id: u64,
    digest: [u8; 16],
}

/// An upload as an earlier run left it.
#[derive(Default)]
pub(super) struct Left {
    /// What the source was then.
    pub identity: String,
    /// The local file, if its path can be written down.
    pub from: Option<PathBuf>,
    /// The file's key, wrapped; its MAC is not known yet.
    pub key: Vec<u8>,
    pub url: Option<StorageUrl>,
    /// The MACs of chunks that the server has.
    pub macs: BTreeMap<u64, ChunkMac>,
    /// Set once the server had everything: a node may have been made of it.
    pub token: Option<UploadToken>,
    /// The request for the node that was about to leave.
    request: Option<Request>,
}

/// Where the journal of an upload lies that is told from others by `what`.
pub(super) fn path(folder: &Path, what: &[&[u8]]) -> PathBuf {
    let mut hash = Sha256::new();
    for part in what {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    let number = u128::from_be_bytes(std::array::from_fn(|i| hash[i]));
    folder.join(format!("{number:032x}{SUFFIX}"))
}

/// Whether a file's name is that of a journal.
pub(super) fn is_journal(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == &SUFFIX[1..])
}

/// Reads a journal. Blocks.
pub(super) fn read_from(file: &mut File) -> std::io::Result<Option<Left>> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(read(&String::from_utf8_lossy(&text)))
}

/// Removes a journal, if there is one. Blocks.
pub(super) fn forget(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::local(path)(error))
        }
        _ => Ok(()),
    }
}

impl UploadJournal {
    /// Opens a journal or begins one, and reads what it holds. Blocks.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Option<Left>)> {
        if let Some(folder) = path.parent() {
            make_private_folder(folder).map_err(Error::local(folder))?;
        }
        let Some(mut file) = locked_file::open(&path, true).map_err(Error::local(&path))? else {
            return Err(Error::Refused("the same upload is under way already".into()));
        };
        let left = read_from(&mut file).map_err(Error::local(&path))?;
        let request = Mutex::new(left.as_ref().and_then(|left| left.request));
        Ok((Self { file, path, request }, left))
    }

    /// Begins with a new address and key. Blocks.
    pub(super) fn begin(&self, source: &SourceFile, key: &[u8], url: &StorageUrl) -> Result<()> {
        self.forget_request();
        self.file.set_len(0).map_err(Error::local(&self.path))?;
        std::io::Seek::rewind(&mut &self.file).map_err(Error::local(&self.path))?;
        let key = base64::encode(key);
        let from = std::path::absolute(source.path()).ok();
        let from = from
            .as_ref()
            .and_then(|path| path.to_str())
            .map(|path| base64::encode(path.as_bytes()));
        let lines = [
            line("source", &source.identity()),
            from.map_or_else(String::new, |from| line("from", &from)),
            line("key", &key),
            line("url", url.as_str()),
        ];
        self.write(&lines.concat())
    }

    /// Notes chunks that the server has, of which `first` is the first. Blocks.
    pub(super) fn note(&self, first: u64, macs: &[ChunkMac]) -> Result<()> {
        self.write(&chunks(first, macs))
    }

    /// Notes all chunks and the token that the server gave for them. From here on a node may be made of it, and
    /// that must be remembered, even without power if the file was costly to send. Blocks.
    pub(super) fn complete(
        &self,
        macs: &[ChunkMac],
        token: &UploadToken,
        durable: bool,
    ) -> Result<()> {
        self.write(&(chunks(0, macs) + &line("token", token.as_str())))?;
        if durable {
            self.file.sync_data().map_err(Error::local(&self.path))?;
        }
        Ok(())
    }

    /// The id for a request of this content: that of an earlier run if it had the same, else a new one, which is
    /// noted. Blocks.
    pub(super) fn request(&self, digest: [u8; 16]) -> Result<u64> {
        if let Some(known) = *self.known_request()
            && known.digest == digest
        {
            return Ok(known.id);
        }
        let id = request_id()?;
        self.write(&line("put", &format!("{id}:{}", base64::encode(&digest))))?;
        *self.known_request() = Some(Request { id, digest });
        Ok(id)
    }

    /// Lets the next request have a new id.
    pub(super) fn forget_request(&self) {
        *self.known_request() = None;
    }

    /// Whether the request for the node may have left.
    pub(super) fn has_request(&self) -> bool {
        self.known_request().is_some()
    }

    fn known_request(&self) -> MutexGuard<'_, Option<Request>> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it: there is nothing left to go on with. Blocks.
    pub(super) fn remove(&self) -> Result<()> {
        forget(&self.path)
    }

    fn write(&self, text: &str) -> Result<()> {
        // In one piece: several threads write, at the place where the last one ended.
        (&self.file).write_all(text.as_bytes()).map_err(Error::local(&self.path))
    }
}

fn chunks(first: u64, macs: &[ChunkMac]) -> String {
    let macs: Vec<u8> = macs.iter().flat_map(|mac| *mac.as_bytes()).collect();
    line("chunks", &format!("{first}:{}", base64::encode(&macs)))
}

fn line(word: &str, value: &str) -> String {
    format!("{word} {value} {}\n", check(word, value))
}

fn check(word: &str, value: &str) -> String {
    let hash = Sha256::new().chain_update(word).chain_update(b" ").chain_update(value).finalize();
    base64::encode(&hash[..6])
}

fn read(text: &str) -> Option<Left> {
    let mut left = Left::default();
    for line in text.split_inclusive('\n') {
        let mut words = line.strip_suffix('\n').unwrap_or_default().split(' ');
        let (Some(word), Some(value), Some(sum), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            break;
        };
        if check(word, value) != sum || take(&mut left, word, value).is_none() {
            break;
        }
    }
    left.url.is_some().then_some(left)
}

/// Takes one record; nothing if it makes no sense.
fn take(left: &mut Left, word: &str, value: &str) -> Option<()> {
    match word {
        "source" => value.clone_into(&mut left.identity),
        "key" => left.key = base64::decode(value).ok()?,
        "url" => left.url = Some(StorageUrl::new(value.to_owned())),
        "chunks" => {
            let (first, macs) = value.split_once(':')?;
            let (first, macs) = (first.parse::<u64>().ok()?, base64::decode(macs).ok()?);
            let (macs, _) = macs.as_chunks::<16>();
            left.macs.extend((first..).zip(macs.iter().map(|mac| ChunkMac::from_bytes(*mac))));
        }
        "from" => left.from = Some(String::from_utf8(base64::decode(value).ok()?).ok()?.into()),
        "put" => {
            let (id, digest) = value.split_once(':')?;
            let digest = base64::decode(digest).ok()?.try_into().ok()?;
            left.request = Some(Request { id: id.parse().ok()?, digest });
        }
        "token" => left.token = Some(token(value)?),
        _ => return None,
    }
    Some(())
}

/// Reads a token from its text form.
fn token(text: &str) -> Option<UploadToken> {
    match text.len() {
        36 => UploadToken::from_body(text.as_bytes()),
        _ => UploadToken::from_body(&base64::decode(text).ok()?),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn journal() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = path(dir.path(), &[b"user", b"file"]);
        (dir, path)
    }

    #[test]
    fn what_was_noted_is_read_again() {
        let (dir, path) = journal();
        let source = dir.path().join("source");
        std::fs::write(&source, "10 bytes..").unwrap();
        let source = SourceFile::open(&source).unwrap();
        let url = StorageUrl::new("http://127.0.0.1/ul/x".into());
        let mac = |n| ChunkMac::from_bytes([n; 16]);
        let raw = UploadToken::from_body(&[1; 36]).unwrap();
        let text = UploadToken::from_body(&[b'x'; 36]).unwrap();
        for token in [raw, text] {
            let (journal, _) = UploadJournal::open(path.clone()).unwrap();
            journal.begin(&source, &[9; 32], &url).unwrap();
            journal.note(3, &[mac(3), mac(4)]).unwrap();
            journal.note(0, &[mac(0)]).unwrap();
            journal.complete(&[mac(0), mac(1)], &token, true).unwrap();
            let id = journal.request([5; 16]).unwrap();
            assert!(UploadJournal::open(path.clone()).is_err(), "two at once");
            drop(journal);
            let (journal, left) = UploadJournal::open(path.clone()).unwrap();
            let left = left.unwrap();
            assert_eq!((&left.identity, &left.key[..]), (&source.identity(), &[9; 32][..]));
            assert_eq!(left.from.as_deref(), Some(source.path()));
            assert_eq!(left.url.unwrap().as_str(), url.as_str());
            assert_eq!(left.macs.keys().copied().collect::<Vec<_>>(), [0, 1, 3, 4]);
            assert_eq!(left.token.unwrap().as_str(), token.as_str());
            assert_eq!(journal.request([5; 16]).unwrap(), id);
            assert_ne!(journal.request([6; 16]).unwrap(), id, "another request");
            journal.begin(&source, &[8; 32], &url).unwrap();
            drop(journal);
            let (_, left) = UploadJournal::open(path.clone()).unwrap();
            assert!(left.is_some_and(|left| left.macs.is_empty() && left.request.is_none()));
        }
        forget(&path).unwrap();
        assert!(UploadJournal::open(path).unwrap().1.is_none());
    }

    proptest! {
        #[test]
        fn a_torn_journal_is_read_up_to_the_tear(cut: prop::sample::Index) {
            let lines = [
                line("source", "10-x"),
                line("key", "AAAA"),
                line("url", "http://h/ul/x"),
                line("chunks", &format!("0:{}", base64::encode(&[7; 32]))),
                line("token", &"x".repeat(36)),
            ];
            let text = lines.concat();
            let cut = cut.index(text.len());
            let whole = lines
                .iter()
                .scan(0, |end, line| {
                    *end += line.len();
                    Some(*end)
                })
                .filter(|end| *end <= cut)
                .count();
            let left = read(&text[..cut]);
            prop_assert_eq!(left.is_some(), whole >= 3);
            if let Some(left) = left {
                prop_assert_eq!(left.macs.len(), if whole >= 4 { 2 } else { 0 });
                prop_assert!(left.token.is_none());
            }
        }

        #[test]
        fn no_journal_panics(text: String) {
            let _ = read(&text);
        }
    }
}
