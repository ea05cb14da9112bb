//! An upload of a local file: segments are read where they lie, and a later run goes on behind those that
//! have arrived.
//!
//! A node is made of an upload once and no more. Within a run the channel repeats the request with its id. After a
//! crash the journal tells that the server had everything; then the target is looked at anew, and a node
//! with this very key is taken for what the request had made. If there is none, the request may still be on its
//! way: it is sent with the id that it had, unless the file is so small that its request travelled with others.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use supermega_crypto::{
    Chunk, ChunkMac, ContentKey, FileKey, MetaMac, MetaMacBuilder, NodeKey, Nonce, chunk_count,
};
use supermega_encoding::UploadToken;
use supermega_protocol::{ErrorCode, StorageUrl};

use super::SEGMENT;
use super::progress::TransferEvent;
use super::segment::{Segment, segments_of};
use super::sender::{Failure, Sender, request_url};
use super::source_file::SourceFile;
use super::upload::{Content, Upload};
use super::upload_journal::{Left, UploadJournal};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::transport::Backoff;
use crate::tree::Node;

/// How often a file is sent from its beginning when its upload address dies.
const STARTS: usize = 8;

/// A file on its way.
pub(super) struct FileUpload<'a> {
    upload: &'a Upload,
    source: Arc<SourceFile>,
    journal: Option<Arc<UploadJournal>>,
    left: Option<Left>,
}

/// An address, a key, and what the address has got already.
struct Begun {
    url: StorageUrl,
    key: ContentKey,
    nonce: Nonce,
    macs: BTreeMap<u64, ChunkMac>,
    /// What an earlier run got when it had sent everything.
    token: Option<UploadToken>,
}

impl<'a> FileUpload<'a> {
    /// Opens the file, and what an earlier run left.
    pub(super) async fn open(upload: &'a Upload, path: &Path) -> Result<Self> {
        let (opened, journal) = (path.to_owned(), upload.journal_path(path)?);
        let (source, journal) = blocking(move || {
            let source = SourceFile::open(&opened)?;
            Ok((source, journal.map(UploadJournal::open).transpose()?))
        })
        .await?;
        let (journal, left) =
            journal.map_or((None, None), |(journal, left)| (Some(Arc::new(journal)), left));
        Ok(Self { upload, source: Arc::new(source), journal, left })
    }

    pub(super) async fn run(mut self) -> Result<Node> {
        self.upload.started(self.source.size);
        let mut starts = 0;
        let patience = self.upload.session.channel().options().busy_patience;
        loop {
            let begun = match self.left.take().and_then(|left| self.resume(left)) {
                Some(begun) => begun,
                None => self.begin().await?,
            };
            match self.complete(begun).await {
                Ok(node) => {
                    self.remove_journal().await?;
                    return Ok(node);
                }
                Err(Failure::AddressDied(error)) => {
                    starts += 1;
                    if starts == STARTS || !Backoff::new(patience).wait().await {
                        return Err(error);
                    }
                    tracing::debug!(%error, "the upload begins again");
                    let bytes = self.upload.sent.swap(0, Ordering::Relaxed);
                    self.upload.progress.event(TransferEvent::Restarted { bytes });
                }
                Err(Failure::Final(error)) => return Err(error),
            }
        }
    }

    /// Goes on with what an earlier run left, if the file is still the same.
    fn resume(&self, left: Left) -> Option<Begun> {
        if left.identity != self.source.identity() {
            return None;
        }
        let key = self.upload.session.with_keys(|keys| keys.unwrap_own(&left.key));
        let Some(NodeKey::File(key)) = key else { return None };
        let bytes = segments_of(self.source.size, |chunk| left.macs.contains_key(&chunk.index));
        let bytes = bytes.map(|segment| segment.end - segment.start).sum();
        self.upload.sent.store(bytes, Ordering::Relaxed);
        self.upload.progress.event(TransferEvent::Resumed { bytes });
        let is_whole = left.macs.len() as u64 == chunk_count(self.source.size);
        let (url, macs, token) = (left.url?, left.macs, left.token.filter(|_| is_whole));
        Some(Begun { url, key: key.content_key(), nonce: key.nonce(), macs, token })
    }

    /// Begins with a new key at a new address. A key serves one content: were it used again, and the
    /// file another one, both would lie open.
    async fn begin(&self) -> Result<Begun> {
        let upload = self.upload;
        let (key, nonce) = (ContentKey::generate()?, Nonce::generate()?);
        let url = request_url(&upload.session, self.source.size, &upload.quota_gate()).await?;
        if let Some(journal) = self.journal.clone() {
            let whole = NodeKey::File(FileKey::new(&key, nonce, MetaMac::from_bytes([0; 8]))?);
            let wrapped = upload
                .session
                .with_keys(|keys| keys.wrap_own(&whole))
                .ok_or_else(|| Error::Refused("no key to wrap the file's under".into()))?;
            let (source, address) = (self.source.clone(), url.clone());
            blocking(move || journal.begin(&source, &wrapped, &address)).await?;
        }
        Ok(Begun { url, key, nonce, macs: BTreeMap::new(), token: None })
    }

    /// Sends what is missing and makes the node.
    async fn complete(&self, mut begun: Begun) -> Result<Node, Failure> {
        let known = begun.token.take();
        let resumed = known.is_some();
        let token = match known {
            Some(token) => token,
            None => self.send(&mut begun).await?,
        };
        self.check_source().await?;
        let mut macs = MetaMacBuilder::new(&begun.key);
        for mac in begun.macs.values() {
            macs.push(mac);
        }
        let key = FileKey::new(&begun.key, begun.nonce, macs.finish()).map_err(Error::from)?;
        if resumed {
            if let Some(node) = self.find_made(&key).await? {
                self.upload.finished(self.source.size);
                return Ok(self.upload.attach(node, &key).await?);
            }
        } else if let Some(journal) = self.journal.clone() {
            let (token, durable) = (token.clone(), self.source.size > SEGMENT);
            let macs: Vec<ChunkMac> = begun.macs.values().copied().collect();
            blocking(move || journal.complete(&macs, &token, durable)).await?;
        }
        let mtime = self.upload.modified.or(self.source.mtime).unwrap_or(0);
        let fingerprint = self.source.fingerprint(mtime);
        let content = Content { token, key: key.clone(), fingerprint };
        // A request of its own costs a round trip, which is nothing beside a large file.
        let journal = self.journal.as_ref().filter(|_| self.source.size > SEGMENT);
        let repeats = resumed && journal.is_some_and(|journal| journal.has_request());
        let made = self.upload.make_node(&content, self.source.size, journal).await;
        let node = made.map_err(|error| match error.code() {
            // The token has died; the content has to be sent again.
            Some(ErrorCode::NotFound | ErrorCode::Expired) if resumed => {
                Failure::AddressDied(error)
            }
            _ => Failure::Final(error),
        })?;
        match repeats {
            // The service may have answered from memory what was true then.
            true => self.find_made(&key).await?.ok_or_else(|| {
                let name = self.upload.file_name();
                Failure::AddressDied(Error::not_found(name.to_owned()))
            }),
            false => Ok(node),
        }
    }

    /// Sends the chunks that the address does not have, and gives the token.
    async fn send(&self, begun: &mut Begun) -> Result<UploadToken, Failure> {
        let (upload, size) = (self.upload, self.source.size);
        let sender = upload.sender(begun.url.clone(), &begun.key, begun.nonce);
        let no_token = || Failure::no_token(&begun.url);
        if size == 0 {
            return sender.post(0, Bytes::new()).await?.ok_or_else(no_token);
        }
        let mut missing: Vec<Segment> =
            segments_of(size, |chunk| !begun.macs.contains_key(&chunk.index)).collect();
        if missing.is_empty() {
            // The answer to the last piece was lost: it comes again with that piece.
            let last = Chunk::containing(size - 1, size);
            missing.extend(last.map(|chunk| Segment { start: chunk.offset, end: chunk.end() }));
        }
        // In order, so that no piece runs far ahead of one that is stuck (`protocol-api.md` 4.2).
        let mut sending = stream::iter(missing)
            .map(|segment| self.segment(sender.clone(), segment))
            .buffered(upload.connections);
        let mut token = None;
        while let Some((first, macs, got)) = sending.try_next().await? {
            begun.macs.extend((first..).zip(macs));
            token = got.or(token);
        }
        token.ok_or_else(no_token)
    }

    /// Reads, encrypts and sends one segment.
    async fn segment(
        &self,
        sender: Arc<Sender>,
        segment: Segment,
    ) -> Result<(u64, Vec<ChunkMac>, Option<UploadToken>), Failure> {
        let _memory = sender.options().budget.memory(segment.len()).await;
        let first = Chunk::containing(segment.start, self.source.size);
        let first = first.map_or(0, |chunk| chunk.index);
        let (source, encrypting) = (self.source.clone(), sender.clone());
        let mut buffer = sender.options().budget.buffer(segment.len());
        let (macs, body) = blocking(move || {
            source.read(buffer.as_mut(), segment.start)?;
            let macs = encrypting.cipher.encrypt_chunks(segment.start, buffer.as_mut());
            Ok((macs, Bytes::from_owner(buffer)))
        })
        .await
        .inspect_err(|_| self.abandon())?;
        let token = sender.post(segment.start, body).await?;
        let Some(journal) = self.journal.clone().filter(|_| self.source.size > SEGMENT) else {
            return Ok((first, macs, token));
        };
        let macs = blocking(move || journal.note(first, &macs).map(|()| macs)).await?;
        Ok((first, macs, token))
    }

    /// What was sent of a file that changed meanwhile is worth nothing.
    async fn check_source(&self) -> Result<()> {
        let source = self.source.clone();
        let checked = blocking(move || source.must_be_unchanged()).await;
        checked.inspect_err(|_| self.abandon())
    }

    /// Lets no later run go on with this one's content.
    fn abandon(&self) {
        if let Some(journal) = &self.journal {
            // If it stays, the changed source is noticed by what it says.
            let _ = journal.remove();
        }
    }

    async fn remove_journal(&self) -> Result<()> {
        match self.journal.clone() {
            Some(journal) => blocking(move || journal.remove()).await,
            None => Ok(()),
        }
    }

    /// The node that an earlier run has made of this upload, if it has.
    async fn find_made(&self, key: &FileKey) -> Result<Option<Node>> {
        let tree = self.upload.session.refresh().await?;
        let made = tree.children(&self.upload.folder);
        Ok(made.into_iter().find(|node| node.file_key() == Some(key)))
    }
}
