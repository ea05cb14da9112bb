//! Downloads: ranges in parallel, verified at the end (`protocol-auth.md` 6.4).

use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use supermega_crypto::{ChunkMac, ContentCipher, ContentSample, FileKey, Fingerprint};
use supermega_encoding::{NodeHandle, PublicHandle};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::download_file::FileDownload;
use super::fetcher::Fetcher;
use super::genuine::Verifier;
use super::local_file::Existing;
use super::progress::{NoProgress, Progress};
use super::quota::OnQuota;
use super::reader::{RemoteReader, growing, growing_chunks};
use super::segment::{Segment, segments};
use super::{CONNECTIONS, SEGMENT, part_file, positioned};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::session::{Session, change};
use crate::transport::Channel;
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
    /// What whoever uploaded it wrote of its content.
    pub fingerprint: Option<Fingerprint>,
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
            fingerprint: node.fingerprint(),
        }))
    }
}

/// A download that has not begun.
#[derive(Clone)]
#[must_use]
pub struct Download {
    file: RemoteFile,
    progress: Arc<dyn Progress>,
    existing: Existing,
    keeps_partial: bool,
    connections: usize,
    on_quota: OnQuota,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("size", &self.file.size).finish_non_exhaustive()
    }
}

impl Download {
    pub(crate) fn new(file: RemoteFile) -> Self {
        Self {
            file,
            progress: Arc::new(NoProgress),
            existing: Existing::Keep,
            keeps_partial: true,
            connections: CONNECTIONS,
            on_quota: OnQuota::Fail,
        }
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

    /// Whether what has arrived stays for a later run when the download fails or is given up; it does, unless
    /// said otherwise.
    pub fn keep_partial(mut self, keep: bool) -> Self {
        self.keeps_partial = keep;
        self
    }

    /// How many requests to keep under way; [`CONNECTIONS`] unless said otherwise.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// What to do when quota is used up.
    pub fn on_quota(mut self, policy: OnQuota) -> Self {
        self.on_quota = policy;
        self
    }

    /// Writes the file to `path`. The name appears only when everything is verified and durable; until
    /// then the bytes are in a file of another name beside it.
    ///
    /// If the future is dropped, the process ends, or an error comes that may pass, what has arrived stays
    /// there, and a later download of the same file to the same path goes on with it. Content that is
    /// found to be damaged is thrown away.
    pub async fn to_path(self, path: impl AsRef<Path>) -> Result<()> {
        let download = FileDownload {
            progress: self.progress.clone(),
            target: path.as_ref().to_owned(),
            existing: self.existing,
            keeps_partial: self.keeps_partial,
            connections: self.connections,
            fetcher: self.fetcher(),
        };
        download.run().await
    }

    /// Whether a local file has this file's content. That is told by the MACs that its bytes would have, and
    /// nothing is downloaded. No file is one of another content.
    pub async fn matches(&self, path: impl AsRef<Path>) -> Result<bool> {
        let (key, size, path) = (self.file.key.clone(), self.file.size, path.as_ref().to_owned());
        blocking(move || matches(&key, size, &path)).await
    }

    /// Removes what an unfinished download to `path` may have left.
    pub async fn forget(path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref().to_owned();
        blocking(move || part_file::forget(&path)).await
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

    /// Gives the file's bytes in order; see [`PlainChunks`] for what they are worth. The last piece comes only
    /// after the whole is verified.
    #[must_use]
    pub fn chunks(self) -> PlainChunks {
        let size = self.file.size;
        self.verified(segments(size))
    }

    /// Gives the whole file in these segments, the last of them once all agree with the MAC.
    fn verified(self, segments: impl Iterator<Item = Segment> + Send + 'static) -> PlainChunks {
        let (connections, progress) = (self.connections, self.progress.clone());
        let fetcher = self.fetcher();
        let file = fetcher.file.clone();
        let verifier = Verifier::new(&file.key, file.size);
        let plain = futures_util::stream::iter(segments)
            .map(move |segment| plain(fetcher.clone(), segment))
            .buffered(connections);
        let state = Some((plain, verifier, ContentSample::new(file.size), 0));
        let verified = futures_util::stream::try_unfold(state, move |state| {
            let (file, progress) = (file.clone(), progress.clone());
            async move {
                let Some((mut plain, mut verifier, mut sample, at)) = state else {
                    return Ok(None);
                };
                let next = plain.try_next().await?;
                let (bytes, macs) = next.unwrap_or_default();
                for mac in macs {
                    verifier.push(mac);
                }
                sample.take(at, &bytes);
                let at = at + bytes.len() as u64;
                if at < file.size && !bytes.is_empty() {
                    return Ok(Some((bytes, Some((plain, verifier, sample, at)))));
                }
                let (label, print) = (file.label, file.fingerprint);
                blocking(move || verifier.verify(&label, print, &progress, |_| Ok(sample))).await?;
                Ok((!bytes.is_empty()).then_some((bytes, None)))
            }
        });
        Box::pin(verified)
    }

    /// Gives bytes `range` of the file, as far as it has them, in order.
    ///
    /// A part cannot be verified: whoever stores the file could have changed it, bit by bit. Read the whole
    /// where that matters.
    #[must_use]
    pub fn chunks_of(self, range: Range<u64>) -> PlainChunks {
        let end = range.end.min(self.file.size);
        let pieces = (0..).map(move |i| range.start.saturating_add(i * SEGMENT));
        let pieces = pieces.take_while(move |start| *start < end);
        let pieces = pieces.map(move |start| Segment { start, end: end.min(start + SEGMENT) });
        self.plain(pieces)
    }

    /// Opens the file to be read from any place, with read-ahead: a [`tokio::io::AsyncRead`] and
    /// [`tokio::io::AsyncSeek`]. Nothing is fetched before the first read. A file that is read from its beginning to
    /// its end is verified, as with [`Download::chunks`]; what is read otherwise is not, as with
    /// [`Download::chunks_of`].
    ///
    /// ```
    /// # use supermega_server::Server;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::builder().user("me@example.org", "secret").spawn().await?;
    /// # let client = supermega::Client::builder().api_url(server.url()).build()?;
    /// # let session = client.login("me@example.org", "secret").await?;
    /// use std::io::SeekFrom;
    /// use tokio::io::{AsyncReadExt, AsyncSeekExt};
    ///
    /// let root = session.tree().await?.root()?;
    /// let upload = session.upload(&root).name("film");
    /// let film = upload.from_reader(11, &b"hello world"[..]).await?;
    ///
    /// let mut reader = session.download(&film)?.reader();
    /// reader.seek(SeekFrom::End(-5)).await?;
    /// let mut end = String::new();
    /// reader.read_to_string(&mut end).await?;
    /// assert_eq!(end, "world");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn reader(self) -> RemoteReader {
        let size = self.file.size;
        RemoteReader::new(self, size)
    }

    pub(super) fn label(&self) -> &str {
        &self.file.label
    }

    /// Gives the file from a position on: little at first, then more at once.
    pub(super) fn chunks_from(self, from: u64) -> PlainChunks {
        let end = self.file.size;
        match from {
            0 => self.verified(growing_chunks(end)),
            _ => self.plain(growing(from, end)),
        }
    }

    fn plain(self, pieces: impl Iterator<Item = Segment> + Send + 'static) -> PlainChunks {
        let connections = self.connections;
        let fetcher = self.fetcher();
        let plain = futures_util::stream::iter(pieces).map(move |piece| {
            let fetcher = fetcher.clone();
            async move {
                let mut buffer = fetcher.fetch(piece).await?;
                fetcher.cipher.apply(piece.start, buffer.as_mut());
                Ok(Bytes::from_owner(buffer))
            }
        });
        Box::pin(plain.buffered(connections))
    }

    fn fetcher(self) -> Arc<Fetcher> {
        Arc::new(Fetcher::new(self.file, self.progress, self.on_quota))
    }
}

/// Reads a local file and takes its MACs. Blocks.
fn matches(key: &FileKey, size: u64, path: &Path) -> Result<bool> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::local(path)(error)),
    };
    let metadata = file.metadata().map_err(Error::local(path))?;
    if !metadata.is_file() || metadata.len() != size {
        return Ok(false);
    }
    let cipher = ContentCipher::new(&key.content_key(), key.nonce());
    let mut verifier = Verifier::new(key, size);
    let mut bytes = Vec::new();
    for segment in segments(size) {
        bytes.resize(segment.len(), 0);
        positioned::read_at(&file, &mut bytes, segment.start).map_err(Error::local(path))?;
        for mac in cipher.encrypt_chunks(segment.start, &mut bytes) {
            verifier.push(mac);
        }
    }
    Ok(verifier.is_genuine())
}

/// Fetches and decrypts a segment.
async fn plain(fetcher: Arc<Fetcher>, segment: Segment) -> Result<(Bytes, Vec<ChunkMac>)> {
    let mut buffer = fetcher.fetch(segment).await?;
    blocking(move || {
        let macs = fetcher.cipher.decrypt_chunks(segment.start, buffer.as_mut());
        Ok((Bytes::from_owner(buffer), macs))
    })
    .await
}
