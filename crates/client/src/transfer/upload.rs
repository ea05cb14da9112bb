//! Uploads: read once, encrypted and MACed on the way, sent in parallel (`protocol-api.md` 4).

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use supermega_crypto::{
    Attributes, ChunkMac, ContentCipher, ContentKey, FileKey, Fingerprint, FingerprintHasher,
    MetaMacBuilder, NodeKey, Nonce,
};
use supermega_encoding::{NodeHandle, UploadToken};
use supermega_protocol::transfer::RequestUpload;
use supermega_protocol::{ErrorCode, StorageUrl};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::CONNECTIONS;
use super::local_file::modified;
use super::progress::{NoProgress, Progress, TransferEvent};
use super::segment::{Segment, segments};
use crate::blocking::blocking;
use crate::error::{Error, NetworkErrorKind, Result};
use crate::session::{Draft, Origin, Session, change};
use crate::transport::Backoff;
use crate::transport::storage::{self, StorageError};
use crate::tree::Node;

/// How often a file is sent from its beginning when its upload address dies.
const STARTS: usize = 3;

impl Session {
    /// Prepares an upload into a folder.
    pub fn upload(&self, folder: &Node) -> Upload {
        Upload {
            session: self.clone(),
            folder: folder.clone(),
            name: None,
            modified: None,
            replaces: None,
            progress: Arc::new(NoProgress),
            sent: Arc::default(),
        }
    }
}

/// An upload that has not begun.
///
/// Dropping its future gives it up: no node is made, unless that was already asked for.
#[must_use]
pub struct Upload {
    session: Session,
    folder: Node,
    name: Option<String>,
    modified: Option<i64>,
    replaces: Option<NodeHandle>,
    progress: Arc<dyn Progress>,
    /// Bytes that have arrived since the last start.
    sent: Arc<AtomicU64>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Upload {
    /// The file's name; that of the local file unless said otherwise.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Modification time in seconds since 1970; that of the local file unless said otherwise.
    pub fn modified(mut self, seconds: i64) -> Self {
        self.modified = Some(seconds);
        self
    }

    /// The file that the new one takes the place of, and that becomes an old version of it.
    pub fn replacing(mut self, node: &Node) -> Self {
        self.replaces = Some(node.handle());
        self
    }

    /// Who is told how it goes.
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// Uploads a local file. If it changes while it is read, the upload fails.
    pub async fn from_path(mut self, path: impl AsRef<Path>) -> Result<Node> {
        let path = path.as_ref().to_owned();
        if self.name.is_none() {
            self.name = Some(local_name(&path)?);
        }
        for start in 1.. {
            let opened = path.clone();
            let (file, size, mtime) = blocking(move || open(&opened)).await?;
            let time = self.modified.or(mtime).unwrap_or(0);
            let mut source = Source::File { file: Arc::new(file), path: &path };
            let sent = self.send(&mut source, size, time).await;
            match sent {
                Err(Failure::AddressDied(error)) if start == STARTS => return Err(error),
                Err(Failure::AddressDied(error)) => {
                    tracing::debug!(%error, "the upload begins again");
                    let bytes = self.sent.swap(0, Ordering::Relaxed);
                    self.progress.event(TransferEvent::Restarted { bytes });
                }
                Err(Failure::Final(error)) => return Err(error),
                Ok(content) => {
                    let read = path.clone();
                    blocking(move || must_be_unchanged(&read, size, mtime)).await?;
                    return self.finish(content, size).await;
                }
            }
        }
        unreachable!("the last start returns")
    }

    /// Uploads `size` bytes from a reader. More or fewer bytes make it fail.
    ///
    /// A reader cannot be read twice: if the upload address dies on the way, the upload fails.
    pub async fn from_reader(
        self,
        size: u64,
        mut reader: impl AsyncRead + Send + Unpin,
    ) -> Result<Node> {
        if self.name.is_none() {
            return Err(Error::Input("an upload from a reader needs a name".into()));
        }
        let time = self.modified.unwrap_or(0);
        let mut source = Source::Reader(&mut reader);
        let content = match self.send(&mut source, size, time).await {
            Ok(content) => content,
            Err(Failure::Final(error) | Failure::AddressDied(error)) => return Err(error),
        };
        if reader.read(&mut [0]).await.map_err(Error::local("(reader)"))? > 0 {
            return Err(Error::Input(format!("the reader gives more than {size} bytes")));
        }
        self.finish(content, size).await
    }

    /// Makes the node of a complete upload.
    async fn finish(self, content: Content, size: u64) -> Result<Node> {
        let name = self.name.unwrap_or_default();
        let mut attributes = Attributes::new(&name);
        attributes.set_fingerprint(&content.fingerprint);
        let draft = Draft {
            origin: Origin::Upload(content.token),
            key: NodeKey::File(content.key),
            attributes,
            size,
            replaces: self.replaces,
        };
        let node = self.session.put_one(&self.folder, draft).await?;
        self.progress.event(TransferEvent::Finished { path: Path::new(&name), bytes: size });
        Ok(node)
    }

    /// Sends the content, and gives the key and the token it got.
    async fn send(
        &self,
        source: &mut Source<'_>,
        size: u64,
        mtime: i64,
    ) -> Result<Content, Failure> {
        change::must_be_folder(&self.folder)?;
        self.session.must_be_account()?;
        let name = Path::new(self.name.as_deref().unwrap_or_default());
        self.progress.event(TransferEvent::Started { path: name, bytes: size });
        let key = ContentKey::generate().map_err(Error::from)?;
        let nonce = Nonce::generate().map_err(Error::from)?;
        let sender = Arc::new(Sender {
            url: self.request_url(size).await?,
            cipher: ContentCipher::new(&key, nonce),
            session: self.session.clone(),
            progress: self.progress.clone(),
            sent: self.sent.clone(),
        });
        let mut fingerprint = FingerprintHasher::new(size);
        let mut macs = MetaMacBuilder::new(&key);
        let mut token = None;
        if size == 0 {
            token = sender.post(0, Bytes::new()).await?;
        } else {
            let reading = read_in_order(source, &mut fingerprint, size);
            let sending = reading
                .map_ok(|(segment, plain)| sender.clone().segment(segment, plain))
                .try_buffered(CONNECTIONS);
            let mut sending = std::pin::pin!(sending);
            while let Some((chunk_macs, got)) = sending.try_next().await? {
                for mac in &chunk_macs {
                    macs.push(mac);
                }
                token = got.or(token);
            }
        }
        let missing = || StorageError::Passing(NetworkErrorKind::Other("no upload token".into()));
        Ok(Content {
            token: token.ok_or_else(|| missing().give_up(&sender.url))?,
            key: FileKey::new(&key, nonce, macs.finish()).map_err(Error::from)?,
            fingerprint: fingerprint.finish(mtime),
        })
    }

    async fn request_url(&self, size: u64) -> Result<StorageUrl> {
        let request = RequestUpload {
            s: size,
            ssl: Some(self.session.channel().options().ssl()),
            v: Some(3),
            t: None,
            ms: None,
            r: None,
            e: None,
        };
        Ok(self.session.channel().call(&request).await?.p)
    }
}

/// Reads segment after segment, and shows each to the fingerprint.
fn read_in_order<'a>(
    source: &'a mut Source<'_>,
    fingerprint: &'a mut FingerprintHasher,
    size: u64,
) -> impl Stream<Item = Result<(Segment, Vec<u8>), Failure>> + 'a {
    let state = (source, fingerprint, segments(size));
    futures_util::stream::try_unfold(state, |(source, fingerprint, mut segments)| async move {
        let Some(segment) = segments.next() else { return Ok(None) };
        let plain = source.read(segment).await?;
        fingerprint.update(&plain);
        Ok(Some(((segment, plain), (source, fingerprint, segments))))
    })
}

/// What a complete upload leaves.
struct Content {
    token: UploadToken,
    key: FileKey,
    fingerprint: Fingerprint,
}

/// Why the content was not sent.
enum Failure {
    /// A new address may help.
    AddressDied(Error),
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// Encrypts and sends segments to one address.
struct Sender {
    url: StorageUrl,
    cipher: ContentCipher,
    session: Session,
    progress: Arc<dyn Progress>,
    sent: Arc<AtomicU64>,
}

impl Sender {
    async fn segment(
        self: Arc<Self>,
        segment: Segment,
        mut bytes: Vec<u8>,
    ) -> Result<(Vec<ChunkMac>, Option<UploadToken>), Failure> {
        let sender = self.clone();
        let (macs, body) = blocking(move || {
            let macs = sender.cipher.encrypt_chunks(segment.start, &mut bytes);
            Ok((macs, Bytes::from(bytes)))
        })
        .await?;
        let token = self.post(segment.start, body).await?;
        let bytes = segment.len() as u64;
        self.sent.fetch_add(bytes, Ordering::Relaxed);
        self.progress.event(TransferEvent::Advanced { bytes });
        Ok((macs, token))
    }

    async fn post(&self, offset: u64, body: Bytes) -> Result<Option<UploadToken>, Failure> {
        let options = self.session.channel().options();
        let mut backoff = Backoff::new(options.busy_patience);
        loop {
            let posted = storage::post(options, &self.url, offset, body.clone()).await;
            let error = match posted {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            tracing::debug!(?error, offset, "a piece was not taken");
            match error {
                StorageError::Expired
                | StorageError::Refused(
                    ErrorCode::RateLimit | ErrorCode::Range | ErrorCode::Expired,
                ) => return Err(Failure::AddressDied(error.give_up(&self.url))),
                StorageError::Passing(_)
                | StorageError::Refused(
                    ErrorCode::Again
                    | ErrorCode::Key
                    | ErrorCode::Unavailable
                    | ErrorCode::TooManyConnections,
                ) if backoff.wait().await => {}
                error => return Err(error.give_up(&self.url).into()),
            }
        }
    }
}

/// Where the plaintext comes from.
enum Source<'a> {
    /// A file, which is read from where the last read ended.
    File {
        file: Arc<File>,
        path: &'a Path,
    },
    Reader(&'a mut (dyn AsyncRead + Send + Unpin)),
}

impl Source<'_> {
    async fn read(&mut self, segment: Segment) -> Result<Vec<u8>> {
        let mut bytes = vec![0; segment.len()];
        match self {
            Self::Reader(reader) => {
                reader.read_exact(&mut bytes).await.map_err(Error::local("(reader)"))?;
                Ok(bytes)
            }
            Self::File { file, path } => {
                let (file, label) = (file.clone(), path.to_path_buf());
                blocking(move || match (&*file).read_exact(&mut bytes) {
                    Ok(()) => Ok(bytes),
                    Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                        Err(changed(&label))
                    }
                    Err(error) => Err(Error::local(label)(error)),
                })
                .await
            }
        }
    }
}

fn open(path: &Path) -> Result<(File, u64, Option<i64>)> {
    let file = File::open(path).map_err(Error::local(path))?;
    let metadata = file.metadata().map_err(Error::local(path))?;
    if !metadata.is_file() {
        return Err(Error::Refused(format!("{} is not a file", path.display())));
    }
    Ok((file, metadata.len(), modified(&metadata)))
}

fn must_be_unchanged(path: &Path, size: u64, mtime: Option<i64>) -> Result<()> {
    let metadata = std::fs::metadata(path).map_err(Error::local(path))?;
    match metadata.len() == size && modified(&metadata) == mtime {
        true => Ok(()),
        false => Err(changed(path)),
    }
}

fn changed(path: &Path) -> Error {
    let source = std::io::Error::other("the file changed while it was read");
    Error::Local { path: path.to_owned(), source }
}

/// The last part of a local path, which must be Unicode to be a remote name.
pub(super) fn local_name(path: &Path) -> Result<String> {
    let name = path
        .file_name()
        .ok_or_else(|| Error::Input(format!("{} has no name of its own", path.display())))?;
    name.to_str().map(str::to_owned).ok_or_else(|| {
        Error::Input(format!("{}: a name on MEGA must be Unicode, and this is not", path.display()))
    })
}
