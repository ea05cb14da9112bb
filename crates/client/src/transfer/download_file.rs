//! A download into a local file: segments come in any order, each is written where it belongs, and a later
//! run goes on with what is there.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::TryStreamExt;
use futures_util::stream::{self, StreamExt};
use supermega_crypto::{Chunk, ChunkMac, ContentSample, chunk_count};

use super::fetcher::Fetcher;
use super::genuine::Verifier;
use super::local_file::Existing;
use super::part_file::{Left, PartFile};
use super::progress::{Progress, TransferEvent};
use super::segment::{Segment, segments, segments_of};
use crate::blocking::blocking;
use crate::error::Result;

/// Where a download goes, and how.
pub(super) struct FileDownload {
    pub fetcher: Arc<Fetcher>,
    pub progress: Arc<dyn Progress>,
    pub target: PathBuf,
    pub existing: Existing,
    /// Whether a later run may go on with what has arrived.
    pub keeps_partial: bool,
    pub connections: usize,
}

impl FileDownload {
    /// Downloads, verifies, and gives the file its name.
    pub(super) async fn run(self) -> Result<()> {
        let file = &self.fetcher.file;
        let size = file.size;
        let modified = file.fingerprint.map(|fingerprint| fingerprint.mtime);
        let (target, existing, key) = (self.target.clone(), self.existing, file.key.clone());
        let keep = self.keeps_partial;
        let opened = blocking(move || PartFile::open(&target, existing, &key, size, keep));
        let (part, left) = opened.await?;
        self.progress.event(TransferEvent::Started { path: &self.target, bytes: size });
        let work = Arc::new(Work { part, fetcher: self.fetcher, progress: self.progress });
        let _waiting = Waiting(work.clone());
        match left {
            Left::Chunks(chunks) => work.fill(&chunks, self.connections).await?,
            Left::Everything if work.holds_everything().await? => {}
            Left::Everything => {
                let begun = work.clone();
                blocking(move || begun.part.begin()).await?;
                work.fill(&BTreeMap::new(), self.connections).await?;
            }
        }
        let done = work.clone();
        blocking(move || done.part.finish(modified)).await?;
        work.progress.event(TransferEvent::Finished { path: &self.target, bytes: size });
        Ok(())
    }
}

/// Whoever waits for the file. Work off the async threads goes on when he is gone, and must not end in a name.
struct Waiting(Arc<Work>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.part.give_up();
    }
}

/// A file in the making, and where its bytes come from.
struct Work {
    part: PartFile,
    fetcher: Arc<Fetcher>,
    progress: Arc<dyn Progress>,
}

impl Work {
    /// Fetches what is not there, checks what is, and verifies the whole.
    async fn fill(
        self: &Arc<Self>,
        left: &BTreeMap<u64, ChunkMac>,
        connections: usize,
    ) -> Result<()> {
        let size = self.fetcher.file.size;
        let there: Vec<Segment> =
            segments_of(size, |chunk| left.contains_key(&chunk.index)).collect();
        let missing: Vec<Segment> =
            segments_of(size, |chunk| !left.contains_key(&chunk.index)).collect();
        let width = match missing.is_empty() {
            true => connections,
            false => self.fetcher.width(connections).await?,
        };
        let check = there.into_iter().map(|segment| (segment, Some(known(segment, size, left))));
        let fetch = missing.into_iter().map(|segment| (segment, None));
        let mut running = stream::iter(check.chain(fetch))
            .map(|(segment, known)| self.clone().segment(segment, known))
            .buffer_unordered(width);
        let mut macs = vec![None; usize::try_from(chunk_count(size)).unwrap_or(0)];
        while let Some((first, found)) = running.try_next().await? {
            for (place, mac) in macs.iter_mut().skip(first).zip(found) {
                *place = Some(mac);
            }
        }
        let mut verifier = Verifier::new(&self.fetcher.file.key, size);
        macs.into_iter().flatten().for_each(|mac| verifier.push(mac));
        let work = self.clone();
        let verified = blocking(move || {
            let file = &work.fetcher.file;
            verifier.verify(&file.label, file.fingerprint, &work.progress, |it| work.read(it))
        });
        verified.await.inspect_err(|_| self.part.discard())
    }

    /// Reads what counts for the fingerprint from the file as it was written.
    fn read(&self, mut sample: ContentSample) -> Result<ContentSample> {
        let ranges: Vec<Range<u64>> = sample.ranges().collect();
        let mut bytes = Vec::new();
        for range in ranges {
            bytes.resize(usize::try_from(range.end - range.start).unwrap_or(0), 0);
            self.part.read_at(range.start, &mut bytes)?;
            sample.take(range.start, &bytes);
        }
        Ok(sample)
    }

    /// Gets one segment into the file; gives the number of its first chunk and the MACs of all.
    async fn segment(
        self: Arc<Self>,
        segment: Segment,
        known: Option<Vec<ChunkMac>>,
    ) -> Result<(usize, Vec<ChunkMac>)> {
        let budget = self.fetcher.options().budget.clone();
        let _memory = budget.memory(segment.len()).await;
        let first = Chunk::containing(segment.start, self.fetcher.file.size);
        let first = first.map_or(0, |chunk| chunk.index);
        let place = usize::try_from(first).unwrap_or(usize::MAX);
        if let Some(known) = known {
            let macs = self.clone().macs_of(segment).await?;
            if macs == known {
                let bytes = segment.len() as u64;
                self.progress.event(TransferEvent::Resumed { bytes });
                return Ok((place, macs));
            }
        }
        let mut buffer = self.fetcher.fetch(segment).await?;
        let macs = blocking(move || {
            let macs = self.fetcher.cipher.decrypt_chunks(segment.start, buffer.as_mut());
            self.part.write(segment.start, buffer.as_ref())?;
            self.part.note(first, &macs)?;
            Ok(macs)
        });
        Ok((place, macs.await?))
    }

    /// The MACs of a segment as it is in the file.
    async fn macs_of(self: Arc<Self>, segment: Segment) -> Result<Vec<ChunkMac>> {
        blocking(move || {
            let mut bytes = vec![0; segment.len()];
            self.part.read_at(segment.start, &mut bytes)?;
            Ok(self.fetcher.cipher.encrypt_chunks(segment.start, &mut bytes))
        })
        .await
    }

    /// Whether the file in the making is complete already.
    async fn holds_everything(self: &Arc<Self>) -> Result<bool> {
        let size = self.fetcher.file.size;
        let mut verifier = Verifier::new(&self.fetcher.file.key, size);
        let mut macs =
            stream::iter(segments(size)).map(|segment| self.clone().macs_of(segment)).buffered(2);
        while let Some(macs) = macs.try_next().await? {
            for mac in macs {
                verifier.push(mac);
            }
        }
        let complete = verifier.is_genuine();
        if complete {
            self.progress.event(TransferEvent::Resumed { bytes: size });
        }
        Ok(complete)
    }
}

/// What the journal says of a segment's chunks.
fn known(segment: Segment, size: u64, left: &BTreeMap<u64, ChunkMac>) -> Vec<ChunkMac> {
    let chunk = |offset| Chunk::containing(offset, size).map_or(u64::MAX, |chunk| chunk.index);
    left.range(chunk(segment.start)..=chunk(segment.end - 1)).map(|(_, mac)| *mac).collect()
}
