//! A file that can be fetched: a node's content, or what is behind a public link.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use pyo3::prelude::*;
use supermega::name::{System, to_local};
use supermega::transfer::{Download, Existing, OnQuota};
use supermega::{Node, PublicFile, Session};

use crate::error::Failure;
use crate::meter::{Meter, progress};
use crate::node::{name_of, seconds};
use crate::operation::Operation;
use crate::runtime::Kept;
use crate::stream::{Chunks, Content, Reader};

/// Ranges that are fetched at once.
const RANGES: usize = 8;

/// A file that can be fetched.
#[pyclass(frozen, module = "supermega._supermega")]
pub struct RemoteFile {
    download: Kept<Download>,
    name: String,
    size: u64,
    modified: Option<f64>,
    handle: String,
}

impl RemoteFile {
    pub fn of_node(session: &Session, node: &Node) -> Result<Self, supermega::Error> {
        Ok(Self {
            download: Kept::new(session.download(node)?),
            name: name_of(node),
            size: node.size(),
            modified: node.modified().map(seconds),
            handle: node.handle().to_string(),
        })
    }

    pub fn of_link(file: &PublicFile) -> Result<Self, supermega::Error> {
        Ok(Self {
            download: Kept::new(file.download()?),
            name: file.name().map_or_else(|| file.handle().to_string(), str::to_owned),
            size: file.size(),
            modified: file.modified_at().map(seconds),
            handle: file.handle().to_string(),
        })
    }
}

#[pymethods]
impl RemoteFile {
    /// The name: somebody else's text.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The name that a local file can have: never a path, never a way out of a folder.
    #[getter]
    fn local_name(&self) -> String {
        to_local(&self.name, System::current()).into_owned()
    }

    /// Size in bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.size
    }

    /// When the file was changed last where it came from, in seconds since 1970.
    #[getter]
    fn modified(&self) -> Option<f64> {
        self.modified
    }

    /// The handle of the node or of the link.
    #[getter]
    fn handle(&self) -> &str {
        &self.handle
    }

    /// Fetches the file to a path, where it appears once it is complete and verified. What has arrived of one that
    /// fails or is given up goes away, unless it is to be kept for a later run.
    #[pyo3(signature = (path, *, replace = false, keep_partial = false, wait_for_quota = false, meter = None))]
    fn to_path(
        &self,
        path: PathBuf,
        replace: bool,
        keep_partial: bool,
        wait_for_quota: bool,
        meter: Option<&Bound<'_, Meter>>,
    ) -> Operation {
        let existing = if replace { Existing::Replace } else { Existing::Keep };
        let download = self.download.clone().progress(progress(meter)).existing(existing);
        let download = download.on_quota(on_quota(wait_for_quota));
        let download = download.keep_partial(keep_partial);
        Operation::new(async move { download.to_path(path).await })
    }

    /// Whether a local file has this file's content, which is told without fetching anything.
    fn matches(&self, path: PathBuf) -> Operation {
        let download = self.download.clone();
        Operation::new(async move { download.matches(path).await })
    }

    /// The content in pieces, which begin to arrive when the first is asked for.
    #[pyo3(signature = (meter = None))]
    fn chunks(&self, meter: Option<&Bound<'_, Meter>>) -> Chunks {
        Chunks::new(self.download.clone().progress(progress(meter)))
    }

    /// Opens it to be read from any place. Nothing is fetched before the first read.
    fn reader(&self) -> Reader {
        Reader::new(self.download.clone(), self.size)
    }

    /// Bytes of some ranges, as far as the file has them. Nothing else is fetched, and a part cannot be verified.
    fn ranges(&self, ranges: Vec<(u64, u64)>) -> Operation {
        let download = Arc::new(Kept::new(self.download.clone()));
        Operation::new(async move {
            let contents = stream::iter(ranges).map(|(start, end)| {
                let pieces = (**download).clone().chunks_of(start..end);
                async { Ok::<_, Failure>(Content(pieces.try_collect().await?)) }
            });
            contents.buffered(RANGES).try_collect::<Vec<_>>().await
        })
    }
}

/// What to do when quota is used up.
pub fn on_quota(wait: bool) -> OnQuota {
    if wait { OnQuota::Wait } else { OnQuota::Fail }
}
