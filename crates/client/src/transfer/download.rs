//! Downloads: ranges in parallel, decrypted in order, verified at the end (`protocol-auth.md` 6.4).

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use supermega_crypto::{ChunkMac, ContentCipher, FileKey, MetaMac, MetaMacBuilder};
use supermega_encoding::{NodeHandle, PublicHandle};
use supermega_protocol::transfer::{DownloadReply, RequestDownload, Sources};
use supermega_protocol::{ErrorCode, Flag, Malformed, StorageUrl};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Mutex;

use super::CONNECTIONS;
use super::local_file::{Existing, PartFile};
use super::progress::{NoProgress, Progress, TransferEvent};
use super::segment::{Segment, segments};
use crate::blocking::blocking;
use crate::error::{Error, QuotaKind, Result};
use crate::session::{Session, change};
use crate::transport::storage::{self, StorageError};
use crate::transport::{Backoff, Channel};
use crate::tree::Node;

/// A file's plaintext in pieces, in order.
///
/// Pieces come **before the whole is verified**. If verification fails, the stream ends with an error and
/// never cleanly: what came before must then be thrown away.
pub type PlainChunks = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A file on the server and the key to it.
#[derive(Clone)]
pub(crate) struct RemoteFile {
    pub label: String,
    pub channel: Channel,
    pub target: Target,
    pub key: FileKey,
    pub size: u64,
    pub modified: Option<i64>,
}

/// How the service is asked for a file.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    Node(NodeHandle),
    Public(PublicHandle),
}

impl Session {
    /// Prepares the download of a file.
    pub fn download(&self, node: &Node) -> Result<Download> {
        if !node.is_file() {
            return Err(Error::Refused(format!("{} is not a file", node.label())));
        }
        let key = node.file_key().ok_or_else(|| change::unreadable(node))?.clone();
        Ok(Download::new(RemoteFile {
            label: node.label(),
            channel: self.lockless().clone(),
            target: Target::Node(node.handle()),
            key,
            size: node.size(),
            modified: node.mtime(),
        }))
    }
}

/// A download that has not begun.
///
/// Dropping its future gives it up and removes what it wrote.
#[must_use]
pub struct Download {
    file: RemoteFile,
    progress: Arc<dyn Progress>,
    existing: Existing,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("size", &self.file.size).finish_non_exhaustive()
    }
}

impl Download {
    pub(crate) fn new(file: RemoteFile) -> Self {
        Self { file, progress: Arc::new(NoProgress), existing: Existing::Keep }
    }

    /// Who is told how it goes.
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// What to do with a file that is there already; it is kept, and the download fails, unless said
    /// otherwise.
    pub fn existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// Writes the file to `path`. The name appears only when everything is verified and durable; until
    /// then the bytes are in a file of another name beside it, which goes away on any failure.
    pub async fn to_path(self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref().to_owned();
        let (modified, existing) = (self.file.modified, self.existing);
        let (progress, size) = (self.progress.clone(), self.file.size);
        let target = path.clone();
        let mut part = blocking(move || PartFile::create(&target, existing)).await?;
        progress.event(TransferEvent::Started { path: &path, bytes: size });
        let mut chunks = self.chunks();
        while let Some(chunk) = chunks.try_next().await? {
            part = blocking(move || part.write(&chunk).map(|()| part)).await?;
        }
        blocking(move || part.finish(modified)).await?;
        progress.event(TransferEvent::Finished { path: &path, bytes: size });
        Ok(())
    }

    /// Writes the file's bytes to `writer`, **before the whole is verified**: on an error they must be
    /// thrown away.
    pub async fn to_writer(self, mut writer: impl AsyncWrite + Unpin) -> Result<()> {
        let label = self.file.label.clone();
        let mut chunks = self.chunks();
        while let Some(chunk) = chunks.try_next().await? {
            writer.write_all(&chunk).await.map_err(Error::local(&label))?;
        }
        writer.flush().await.map_err(Error::local(&label))
    }

    /// Gives the file's bytes in order; see [`PlainChunks`] for what they are worth.
    #[must_use]
    pub fn chunks(self) -> PlainChunks {
        let fetcher = Arc::new(Fetcher {
            cipher: ContentCipher::new(&self.file.key.content_key(), self.file.key.nonce()),
            url: Mutex::new(None),
            file: self.file,
            progress: self.progress,
        });
        let macs = MetaMacBuilder::new(&fetcher.file.key.content_key());
        let verify = Verify { macs, file: fetcher.file.clone() };
        let plain = futures_util::stream::iter(segments(fetcher.file.size))
            .map(move |segment| fetcher.clone().segment(segment))
            .buffered(CONNECTIONS);
        let verified = futures_util::stream::try_unfold(
            (plain, verify),
            |(mut plain, mut verify)| async move {
                match plain.try_next().await? {
                    Some((bytes, macs)) => {
                        for mac in &macs {
                            verify.macs.push(mac);
                        }
                        Ok(Some((bytes, (plain, verify))))
                    }
                    None => verify.finish().map(|()| None),
                }
            },
        );
        Box::pin(verified)
    }
}

struct Verify {
    macs: MetaMacBuilder,
    file: RemoteFile,
}

impl Verify {
    fn finish(&self) -> Result<()> {
        if is_genuine(&self.file.key, self.file.size, self.macs.finish()) {
            return Ok(());
        }
        let why = "its content does not match its MAC: it is damaged, or its key is wrong";
        Err(Error::Integrity { what: self.file.label.clone(), why })
    }
}

/// Whether a file of this size and MAC is the one that its key was made for.
///
/// An empty file is checked like any other, or a server could empty every file. Two peers count a chunk in it,
/// whose MAC is the start value (megajs, `protocol-auth.md` 10) or zero (go-mega).
fn is_genuine(key: &FileKey, size: u64, mac: MetaMac) -> bool {
    let stored = key.meta_mac();
    if mac.ct_eq(&stored) {
        return true;
    }
    if size > 0 {
        return false;
    }
    let mut start = [0; 16];
    start[..8].copy_from_slice(key.nonce().as_bytes());
    start[8..].copy_from_slice(key.nonce().as_bytes());
    [start, [0; 16]].into_iter().any(|chunk| {
        let mut macs = MetaMacBuilder::new(&key.content_key());
        macs.push(&ChunkMac::from_bytes(chunk));
        macs.finish().ct_eq(&stored)
    })
}

/// Fetches and decrypts segments of one file.
struct Fetcher {
    file: RemoteFile,
    cipher: ContentCipher,
    /// The current address and how many there were before it.
    url: Mutex<Option<(u64, StorageUrl)>>,
    progress: Arc<dyn Progress>,
}

impl Fetcher {
    async fn segment(self: Arc<Self>, segment: Segment) -> Result<(Bytes, Vec<ChunkMac>)> {
        let mut bytes = self.fetch(segment).await?;
        self.progress.event(TransferEvent::Advanced { bytes: bytes.len() as u64 });
        blocking(move || {
            let macs = self.cipher.decrypt_chunks(segment.start, &mut bytes);
            Ok((Bytes::from(bytes), macs))
        })
        .await
    }

    /// Fetches ciphertext, going on behind what has arrived after each failure that may pass.
    async fn fetch(&self, segment: Segment) -> Result<Vec<u8>> {
        let options = self.file.channel.options();
        let mut bytes = Vec::with_capacity(segment.len());
        let mut stale = None;
        let mut backoff = Backoff::new(options.busy_patience);
        loop {
            let (generation, url) = self.url(stale).await?;
            let start = segment.start + bytes.len() as u64;
            let before = bytes.len();
            let fetched = storage::fetch(&options.http, &url, start, segment.end, &mut bytes).await;
            let error = match fetched {
                Ok(()) => return Ok(bytes),
                Err(error) => error,
            };
            if bytes.len() > before {
                backoff = Backoff::new(options.busy_patience);
            }
            stale = match error {
                StorageError::Expired => Some(generation),
                StorageError::Passing(_) => None,
                StorageError::Quota(_) | StorageError::Refused(_) => {
                    return Err(error.give_up(&url));
                }
            };
            tracing::debug!(?error, start, "a range failed");
            if !backoff.wait().await {
                return Err(error.give_up(&url));
            }
        }
    }

    /// The address, asked for once, and again by whoever first finds it stale.
    async fn url(&self, stale: Option<u64>) -> Result<(u64, StorageUrl)> {
        let mut current = self.url.lock().await;
        if let Some((generation, url)) = current.as_ref()
            && stale != Some(*generation)
        {
            return Ok((*generation, url.clone()));
        }
        let generation = stale.map_or(0, |generation| generation + 1);
        let url = self.request_url().await?;
        *current = Some((generation, url.clone()));
        Ok((generation, url))
    }

    async fn request_url(&self) -> Result<StorageUrl> {
        let file = &self.file;
        let (n, p) = match file.target {
            Target::Node(handle) => (Some(handle), None),
            Target::Public(handle) => (None, Some(handle)),
        };
        let request = RequestDownload {
            n,
            p,
            g: Flag::SET,
            ssl: Some(file.channel.options().ssl()),
            ..RequestDownload::default()
        };
        let reply = file.channel.call(&request).await.map_err(|error| match error.code() {
            Some(ErrorCode::NotFound) => Error::not_found(file.label.clone()),
            _ => error,
        })?;
        self.check(reply)
    }

    fn check(&self, reply: DownloadReply) -> Result<StorageUrl> {
        if let Some(code) = reply.e {
            return Err(match code {
                ErrorCode::OverQuota => Error::Quota {
                    kind: QuotaKind::Transfer,
                    wait: reply.tl.map(std::time::Duration::from_secs),
                },
                code => Error::from_failure("g", code.into()),
            });
        }
        if reply.s.is_some_and(|size| size != self.file.size) {
            let why = "the server names another size than the listing";
            return Err(Error::Integrity { what: self.file.label.clone(), why });
        }
        match reply.g {
            Some(Sources::Whole(url)) => Ok(url),
            Some(Sources::Parts(_)) | None => Err(Malformed::new("g", "g", "no address").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use supermega_crypto::{ContentKey, Nonce};

    use super::*;

    #[test]
    fn a_file_that_was_emptied_is_not_genuine() {
        let content =
            ContentKey::from_bytes(0x0123_4567_89ab_cdef_fedc_ba98_7654_3210_u128.to_be_bytes());
        let nonce = Nonce::from_bytes(0xdead_beef_cafe_babe_u64.to_be_bytes());
        let of = |mac: u64| {
            let mac = MetaMac::from_bytes(mac.to_be_bytes());
            FileKey::new(&content, nonce, mac).unwrap()
        };
        let nothing = MetaMacBuilder::new(&content).finish();
        assert!(is_genuine(&of(0), 0, nothing));
        assert!(is_genuine(&of(0x3b02_7a24_c089_1aca), 0, nothing), "as megajs has it");
        assert!(!is_genuine(&of(0x1950_4522_06b8_ea83), 0, nothing), "it had one byte");
        assert!(!is_genuine(&of(0x3b02_7a24_c089_1aca), 1, nothing));
    }
}
