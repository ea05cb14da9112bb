//! Uploads: read once, encrypted and MACed on the way, sent in parallel (`protocol-api.md` 4).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use supermega_crypto::{
    Attributes, ChunkMac, ContentCipher, ContentKey, FileKey, Fingerprint, FingerprintHasher,
    MetaMacBuilder, NodeKey, Nonce,
};
use supermega_encoding::{NodeHandle, UploadToken};
use supermega_protocol::{ErrorCode, StorageUrl};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::CONNECTIONS;
use super::progress::{NoProgress, Progress, TransferEvent};
use super::quota::{OnQuota, QuotaGate};
use super::segment::{Segment, segments};
use super::sender::{Failure, Sender, request_url};
use super::upload_file::FileUpload;
use super::upload_journal::{self, UploadJournal};
use super::writer::RemoteWriter;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::file_attribute::FileAttributeKind;
use crate::session::{Draft, Origin, Session, change};
use crate::transport::Backoff;
use crate::tree::Node;

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
            connections: CONNECTIONS,
            on_quota: OnQuota::Fail,
            journals: None,
            attributes: Vec::new(),
            #[cfg(feature = "thumbnails")]
            thumbnails: false,
            #[cfg(feature = "thumbnails")]
            picture: None,
            sent: Arc::default(),
        }
    }
}

/// An upload that has not begun.
///
/// Dropping its future gives it up: no node is made, unless that was already asked for.
#[must_use]
pub struct Upload {
    pub(super) session: Session,
    pub(super) folder: Node,
    name: Option<String>,
    pub(super) modified: Option<i64>,
    replaces: Option<NodeHandle>,
    pub(super) progress: Arc<dyn Progress>,
    pub(super) connections: usize,
    on_quota: OnQuota,
    journals: Option<PathBuf>,
    pub(super) attributes: Vec<(FileAttributeKind, Vec<u8>)>,
    #[cfg(feature = "thumbnails")]
    thumbnails: bool,
    /// The local file that thumbnails are made of.
    #[cfg(feature = "thumbnails")]
    pub(super) picture: Option<PathBuf>,
    /// Bytes that have arrived since the last start.
    pub(super) sent: Arc<AtomicU64>,
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

    /// The file that the new one takes the place of, and that becomes an old version of it. It must lie in the folder
    /// of the upload: of others the service makes no old version (`protocol-api.md` 2.6), and the upload is refused.
    pub fn replacing(mut self, node: &Node) -> Self {
        self.replaces = Some(node.handle());
        self
    }

    /// Who is told how it goes.
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
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

    /// Keeps a journal in a folder of one's own, so that a later upload of the same file to the same place
    /// goes on where this one ended, and never makes a second node of what this one has sent. Only uploads
    /// [`from_path`](Self::from_path) have journals; each goes away with its success.
    pub fn journal_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.journals = Some(folder.into());
        self
    }

    /// Gives the file something beside its content, as a thumbnail that the caller has made.
    pub fn file_attribute(mut self, kind: FileAttributeKind, content: Vec<u8>) -> Self {
        self.attributes.push((kind, content));
        self
    }

    /// Makes a thumbnail and a preview, if the file's name says that it is a picture
    /// ([`is_picture_name`](crate::is_picture_name)) and it is one. Only uploads [`from_path`](Self::from_path) make
    /// them. Failing to is no error: the file is there without.
    #[cfg(feature = "thumbnails")]
    pub fn thumbnails(mut self) -> Self {
        self.thumbnails = true;
        self
    }

    /// Uploads a local file. If it changes while it is read, the upload fails.
    pub async fn from_path(mut self, path: impl AsRef<Path>) -> Result<Node> {
        let path = path.as_ref();
        self.name_after(path)?;
        #[cfg(feature = "thumbnails")]
        if self.thumbnails && crate::is_picture_name(self.file_name()) {
            self.picture = Some(path.to_owned());
        }
        self.must_be_possible().await?;
        FileUpload::open(&self, path).await?.run().await
    }

    /// Removes what an unfinished upload of this file may have left in the folder of journals.
    pub async fn forget(mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        self.name_after(path)?;
        match self.journal_path(path)? {
            Some(journal) => blocking(move || upload_journal::forget(&journal)).await,
            None => Ok(()),
        }
    }

    async fn must_be_possible(&self) -> Result<()> {
        change::must_be_folder(&self.folder)?;
        self.session.must_write()?;
        let Some(replaced) = self.replaces else { return Ok(()) };
        // What somebody has removed meanwhile is in nobody's way.
        let Some(replaced) = self.session.tree().await?.node(replaced) else { return Ok(()) };
        if replaced.is_file() && replaced.parent() == Some(self.folder.handle()) {
            return Ok(());
        }
        let (label, folder) = (replaced.label(), self.folder.label());
        Err(Error::Refused(format!("{label} is no file in {folder} that could be replaced there")))
    }

    fn name_after(&mut self, path: &Path) -> Result<()> {
        if self.name.is_none() {
            self.name = Some(local_name(path)?);
        }
        Ok(())
    }

    /// Where the journal lies, which the file, the account and the target decide on.
    pub(super) fn journal_path(&self, path: &Path) -> Result<Option<PathBuf>> {
        let Some(folder) = &self.journals else { return Ok(None) };
        let path = std::path::absolute(path).map_err(Error::local(path))?;
        let folder_handle = self.folder.handle();
        let what: [&[u8]; 5] = [
            self.session.client().api_url().as_bytes(),
            self.session.whose(),
            folder_handle.as_bytes(),
            self.file_name().as_bytes(),
            path.as_os_str().as_encoded_bytes(),
        ];
        Ok(Some(upload_journal::path(folder, &what)))
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
        let content = match self.send(&mut reader, size).await {
            Ok(content) => content,
            Err(Failure::Final(error) | Failure::AddressDied(error)) => return Err(error),
        };
        if reader.read(&mut [0]).await.map_err(Error::local("(reader)"))? > 0 {
            return Err(Error::Input(format!("the reader gives more than {size} bytes")));
        }
        self.make_node(&content, size, None).await
    }

    /// Gives a [`tokio::io::AsyncWrite`] that uploads the `size` bytes that are written to it. There is a file only
    /// after [`RemoteWriter::finish`]; dropping the writer gives the upload up.
    ///
    /// ```
    /// # use supermega_server::Server;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::builder().user("me@example.org", "secret").spawn().await?;
    /// # let client = supermega::Client::builder().api_url(server.url()).build()?;
    /// # let session = client.login("me@example.org", "secret").await?;
    /// use tokio::io::AsyncWriteExt;
    ///
    /// let root = session.tree().await?.root()?;
    /// let mut writer = session.upload(&root).name("log").writer(11);
    /// writer.write_all(b"hello ").await?;
    /// writer.write_all(b"world").await?;
    /// let file = writer.finish().await?;
    /// assert_eq!((file.name(), file.size()), (Some("log"), 11));
    /// # Ok(())
    /// # }
    /// ```
    pub fn writer(self, size: u64) -> RemoteWriter {
        RemoteWriter::new(self, size)
    }

    /// Makes the node of a complete upload. With a journal the request travels alone, under an id that is noted
    /// before it leaves.
    pub(super) async fn make_node(
        &self,
        content: &Content,
        size: u64,
        journal: Option<&Arc<UploadJournal>>,
    ) -> Result<Node> {
        let quota = self.quota_gate();
        let mut busy = Backoff::new(self.session.channel().options().busy_patience);
        let mut attributes = Attributes::new(self.file_name());
        attributes.set_fingerprint(&content.fingerprint);
        // Stored anew they would have other names, and the request would not be the same.
        let file_attributes = match journal {
            None => self.store_attributes(&content.key, &[]).await?.to_string(),
            Some(_) => String::new(),
        };
        loop {
            let draft = Draft {
                origin: Origin::Upload(content.token.clone()),
                key: NodeKey::File(content.key.clone()),
                attributes: attributes.clone(),
                size,
                replaces: self.replaces,
                file_attributes: file_attributes.clone(),
            };
            let put = match journal.cloned() {
                None => self.session.put_one(&self.folder, draft).await,
                Some(journal) => {
                    let id_for = async |digest| blocking(move || journal.request(digest)).await;
                    self.session.put_repeatable(&self.folder, draft, id_for).await
                }
            };
            let error = match put {
                Ok(node) => {
                    let node = match journal {
                        None => node,
                        Some(_) => match self.attach(node.clone(), &content.key).await {
                            // An answer from the service's memory may name a node that is gone.
                            Err(Error::NotFound { .. }) => node,
                            attached => attached?,
                        },
                    };
                    self.finished(size);
                    return Ok(node);
                }
                Err(error) => error,
            };
            // What was refused is asked for anew: under the old id the refusal would come again.
            if let Some(journal) = journal {
                journal.forget_request();
            }
            if error.code() != Some(ErrorCode::Again) || !busy.wait().await {
                quota.pass(error).await?;
            }
        }
    }

    pub(super) fn started(&self, bytes: u64) {
        let path = Path::new(self.file_name());
        self.progress.event(TransferEvent::Started { path, bytes });
    }

    pub(super) fn finished(&self, bytes: u64) {
        let path = Path::new(self.file_name());
        self.progress.event(TransferEvent::Finished { path, bytes });
    }

    pub(super) fn file_name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    pub(super) fn quota_gate(&self) -> Arc<QuotaGate> {
        Arc::new(QuotaGate::new(self.on_quota, self.progress.clone()))
    }

    /// What sends to an address, with a key.
    pub(super) fn sender(&self, url: StorageUrl, key: &ContentKey, nonce: Nonce) -> Arc<Sender> {
        Arc::new(Sender {
            url,
            cipher: ContentCipher::new(key, nonce),
            session: self.session.clone(),
            progress: self.progress.clone(),
            quota: self.quota_gate(),
            sent: self.sent.clone(),
        })
    }

    /// Sends the content of a reader, and gives the key and the token it got.
    async fn send(
        &self,
        reader: &mut (dyn AsyncRead + Send + Unpin),
        size: u64,
    ) -> Result<Content, Failure> {
        self.must_be_possible().await?;
        self.started(size);
        let key = ContentKey::generate().map_err(Error::from)?;
        let nonce = Nonce::generate().map_err(Error::from)?;
        let url = request_url(&self.session, size, &self.quota_gate()).await?;
        let sender = self.sender(url, &key, nonce);
        let mut fingerprint = FingerprintHasher::new(size);
        let mut macs = MetaMacBuilder::new(&key);
        let mut token = None;
        if size == 0 {
            token = sender.post(0, Bytes::new()).await?;
        } else {
            let sending = read_in_order(reader, &mut fingerprint, size)
                .map_ok(|(segment, plain)| segment_of_reader(sender.clone(), segment, plain))
                .try_buffered(self.connections);
            let mut sending = std::pin::pin!(sending);
            while let Some((chunk_macs, got)) = sending.try_next().await? {
                for mac in &chunk_macs {
                    macs.push(mac);
                }
                token = got.or(token);
            }
        }
        Ok(Content {
            token: token.ok_or_else(|| Failure::no_token(&sender.url))?,
            key: FileKey::new(&key, nonce, macs.finish()).map_err(Error::from)?,
            fingerprint: fingerprint.finish(self.modified.unwrap_or(0)),
        })
    }
}

/// What a complete upload leaves.
pub(super) struct Content {
    pub token: UploadToken,
    pub key: FileKey,
    pub fingerprint: Fingerprint,
}

/// Reads segment after segment, and shows each to the fingerprint.
fn read_in_order<'a>(
    reader: &'a mut (dyn AsyncRead + Send + Unpin),
    fingerprint: &'a mut FingerprintHasher,
    size: u64,
) -> impl Stream<Item = Result<(Segment, Vec<u8>), Failure>> + 'a {
    let state = (reader, fingerprint, segments(size));
    futures_util::stream::try_unfold(state, |(reader, fingerprint, mut segments)| async move {
        let Some(segment) = segments.next() else { return Ok(None) };
        let mut plain = vec![0; segment.len()];
        reader.read_exact(&mut plain).await.map_err(Error::local("(reader)"))?;
        fingerprint.update(&plain);
        Ok(Some(((segment, plain), (reader, fingerprint, segments))))
    })
}

async fn segment_of_reader(
    sender: Arc<Sender>,
    segment: Segment,
    mut bytes: Vec<u8>,
) -> Result<(Vec<ChunkMac>, Option<UploadToken>), Failure> {
    let encrypting = sender.clone();
    let (macs, body) = blocking(move || {
        let macs = encrypting.cipher.encrypt_chunks(segment.start, &mut bytes);
        Ok((macs, Bytes::from(bytes)))
    })
    .await?;
    Ok((macs, sender.post(segment.start, body).await?))
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
