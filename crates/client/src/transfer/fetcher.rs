//! Fetches ciphertext of one file: knows its addresses, goes on behind what has arrived, and asks for new
//! addresses when the old ones have died (`protocol-api.md` 3.1 to 3.5).

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use supermega_crypto::ContentCipher;
use supermega_protocol::transfer::{DownloadReply, RequestDownload, Sources};
use supermega_protocol::{ErrorCode, Flag, Malformed, StorageUrl};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::download::{RemoteFile, Target};
use super::progress::{Progress, TransferEvent};
use super::quota::{OnQuota, QuotaGate};
use super::raid_fetch::{RaidFetch, Servers};
use super::segment::Segment;
use crate::blocking::shutting_down;
use crate::error::{Error, QuotaKind, Result};
use crate::transport::storage::{self, StorageError};
use crate::transport::{Backoff, Buffer, ChannelOptions};

/// Says that this client can put a file together from its parts.
const PARTS_WELCOME: u8 = 2;

/// Fetches one file.
pub(super) struct Fetcher {
    pub file: RemoteFile,
    pub cipher: ContentCipher,
    progress: Arc<dyn Progress>,
    quota: QuotaGate,
    /// The current addresses and how many there were before them.
    sources: Mutex<Option<(u64, Sources)>>,
    servers: Servers,
}

impl Fetcher {
    pub(super) fn new(file: RemoteFile, progress: Arc<dyn Progress>, on_quota: OnQuota) -> Self {
        Self {
            cipher: ContentCipher::new(&file.key.content_key(), file.key.nonce()),
            file,
            quota: QuotaGate::new(on_quota, progress.clone()),
            progress,
            sources: Mutex::default(),
            servers: Servers::default(),
        }
    }

    pub(super) fn options(&self) -> &ChannelOptions {
        self.file.channel.options()
    }

    /// How many segments to fetch at once so that about so many connections are used.
    pub(super) async fn width(&self, connections: usize) -> Result<usize> {
        let (_, sources) = self.sources(None).await?;
        Ok(connections.div_ceil(requests(&sources)).max(1))
    }

    /// Fetches a segment's ciphertext, on a task of its own: otherwise whoever waits for many would copy all that
    /// arrives on his one thread.
    pub(super) async fn fetch(self: &Arc<Self>, segment: Segment) -> Result<Buffer> {
        let fetcher = self.clone();
        // Ends the task when nobody waits any more.
        let mut task = JoinSet::new();
        task.spawn(async move { fetcher.fetch_here(segment).await });
        match task.join_next().await {
            Some(Ok(fetched)) => fetched,
            _ => Err(shutting_down()),
        }
    }

    async fn fetch_here(&self, segment: Segment) -> Result<Buffer> {
        let options = self.options();
        let mut buffer = options.budget.empty(segment.len());
        let bytes = buffer.bytes();
        let mut parts = RaidFetch::new(options, segment, self.file.size, &self.servers);
        let mut stale = None;
        let mut backoff = Backoff::new(options.busy_patience);
        loop {
            let (generation, sources) = self.sources(stale).await?;
            let before = (bytes.len(), parts.arrived());
            let fetched = self.attempt(&sources, segment, bytes, &mut parts).await;
            if bytes.len() > before.0 {
                let bytes = (bytes.len() - before.0) as u64;
                self.progress.event(TransferEvent::Advanced { bytes });
            }
            if (bytes.len(), parts.arrived()) > before {
                backoff = Backoff::new(options.busy_patience);
            }
            let error = match fetched {
                Ok(()) => return Ok(buffer),
                Err(error) => error,
            };
            tracing::debug!(?error, start = segment.start, "a range failed");
            stale = match error {
                StorageError::Expired => Some(generation),
                StorageError::Passing(_) => None,
                StorageError::Quota(_) => {
                    self.quota.pass(error.give_up(first(&sources))).await?;
                    backoff = Backoff::new(options.busy_patience);
                    continue;
                }
                StorageError::Refused(_) => return Err(error.give_up(first(&sources))),
            };
            if !backoff.wait().await {
                return Err(error.give_up(first(&sources)));
            }
        }
    }

    /// Fetches what is missing of a segment; what arrives before an error is kept.
    async fn attempt(
        &self,
        sources: &Sources,
        segment: Segment,
        bytes: &mut BytesMut,
        parts: &mut RaidFetch<'_>,
    ) -> Result<(), StorageError> {
        let options = self.options();
        let _connections = options.budget.connections(requests(sources)).await;
        match sources {
            Sources::Whole(url) => {
                let start = segment.start + bytes.len() as u64;
                storage::fetch(options, url, start, segment.end, bytes).await
            }
            // Parts give all of it, whatever came before from the whole.
            Sources::Parts(urls) => parts.run(urls, bytes).await,
        }
    }

    /// The addresses, asked for once, and again by whoever first finds them stale.
    async fn sources(&self, stale: Option<u64>) -> Result<(u64, Sources)> {
        let mut current = self.sources.lock().await;
        if let Some((generation, sources)) = current.as_ref()
            && stale != Some(*generation)
        {
            return Ok((*generation, sources.clone()));
        }
        let generation = stale.map_or(0, |generation| generation + 1);
        let sources = loop {
            match self.request_sources().await {
                Ok(sources) => break sources,
                Err(error) => self.quota.pass(error).await?,
            }
        };
        *current = Some((generation, sources.clone()));
        Ok((generation, sources))
    }

    async fn request_sources(&self) -> Result<Sources> {
        let file = &self.file;
        let (n, p) = match file.target {
            Target::Node(handle) => (Some(handle), None),
            Target::Public(handle) => (None, Some(handle)),
        };
        let request = RequestDownload {
            n,
            p,
            g: Flag::SET,
            v: Some(PARTS_WELCOME),
            ssl: Some(self.options().ssl()),
            ..RequestDownload::default()
        };
        let reply = file.channel.call(&request).await.map_err(|error| match error.code() {
            Some(ErrorCode::NotFound) => Error::not_found(file.label.clone()),
            _ => error,
        })?;
        self.check(reply)
    }

    fn check(&self, reply: DownloadReply) -> Result<Sources> {
        if let Some(code) = reply.e {
            return Err(match code {
                ErrorCode::OverQuota => Error::Quota {
                    kind: QuotaKind::Transfer,
                    wait: reply.tl.map(Duration::from_secs),
                },
                code => Error::from_failure("g", code.into()),
            });
        }
        if reply.s.is_some_and(|size| size != self.file.size) {
            let why = "the server names another size than the listing";
            return Err(Error::Integrity { what: self.file.label.clone(), why });
        }
        reply.g.ok_or_else(|| Malformed::new("g", "g", "no address").into())
    }
}

/// How many requests fetch a segment.
fn requests(sources: &Sources) -> usize {
    match sources {
        Sources::Whole(_) => 1,
        Sources::Parts(urls) => urls.len() - 1,
    }
}

/// An address, for messages.
fn first(sources: &Sources) -> &StorageUrl {
    match sources {
        Sources::Whole(url) => url,
        Sources::Parts(urls) => &urls[0],
    }
}
