//! Contents as they arrive: chunk by chunk, or from any place.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use supermega::transfer::{Download, RemoteReader};
use tokio::io::AsyncSeek;
use tokio::sync::{Mutex, mpsc};
use tokio::task::AbortHandle;

use crate::error::Failure;
use crate::operation::Operation;
use crate::runtime::{Kept, wait};
use crate::whole::Whole;

/// Pieces that wait for whoever reads, so that a slow reader does not stop the network at once.
const AHEAD: usize = 4;

/// Bytes that become `bytes`.
pub struct Content(pub Vec<Bytes>);

impl<'py> IntoPyObject<'py> for Content {
    type Target = PyBytes;
    type Output = Bound<'py, PyBytes>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let Self(pieces) = self;
        if let [only] = pieces.as_slice() {
            return Ok(PyBytes::new(py, only));
        }
        let length = pieces.iter().map(Bytes::len).sum();
        PyBytes::new_with(py, length, |mut rest| {
            // Large contents take a moment.
            py.detach(|| {
                for piece in pieces {
                    let (here, behind) = std::mem::take(&mut rest).split_at_mut(piece.len());
                    here.copy_from_slice(&piece);
                    rest = behind;
                }
            });
            Ok(())
        })
    }
}

/// A file's content in pieces, in order, of which the last comes once the whole is verified.
#[pyclass(frozen, module = "supermega._supermega")]
pub struct Chunks(Arc<Kept<Mutex<Flow>>>);

enum Flow {
    Waiting(Box<Download>),
    Running(Pump),
    Ended,
    Failed,
}

/// The task that fetches. It ends with whoever holds this.
struct Pump {
    pieces: mpsc::Receiver<Result<Bytes, supermega::Error>>,
    task: AbortHandle,
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pump {
    fn start(download: Download) -> Self {
        let (sender, pieces) = mpsc::channel(AHEAD);
        let task = tokio::spawn(async move {
            let mut chunks = download.chunks();
            loop {
                let piece = chunks.try_next().await;
                let Some(piece) = piece.transpose() else { return };
                let failed = piece.is_err();
                if sender.send(piece).await.is_err() || failed {
                    return;
                }
            }
        });
        Self { pieces, task: task.abort_handle() }
    }
}

impl Flow {
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        if let Self::Waiting(download) = self {
            *self = Self::Running(Pump::start((**download).clone()));
        }
        let Self::Running(pump) = self else {
            return match self {
                Self::Failed => {
                    let text = "the content could not be read to its end: fetch it anew";
                    Err(Failure::Input(text.into()))
                }
                _ => Ok(None),
            };
        };
        match pump.pieces.recv().await {
            Some(Ok(bytes)) => Ok(Some(bytes)),
            Some(Err(error)) => {
                *self = Self::Failed;
                Err(error.into())
            }
            None => {
                *self = Self::Ended;
                Ok(None)
            }
        }
    }
}

impl Chunks {
    pub fn new(download: Download) -> Self {
        Self(Arc::new(Kept::new(Mutex::new(Flow::Waiting(Box::new(download))))))
    }
}

#[pymethods]
impl Chunks {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    /// The next piece.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyBytes>>> {
        let flow = self.0.clone();
        let piece = wait(py, async move { flow.lock().await.next().await }, None)?;
        Ok(piece.map(|bytes| PyBytes::new(py, &bytes).unbind()))
    }

    /// The next piece, or nothing at the end.
    fn next(&self) -> Operation {
        let flow = self.0.clone();
        Operation::new(async move {
            let piece = flow.lock().await.next().await?;
            Ok::<_, Failure>(piece.map(|bytes| Content(vec![bytes])))
        })
    }
}

/// A file to be read from any place.
#[pyclass(frozen, module = "supermega._supermega")]
pub struct Reader {
    download: Kept<Download>,
    size: u64,
    from_any_place: Arc<Kept<Mutex<RemoteReader>>>,
}

impl Reader {
    pub fn new(download: Download, size: u64) -> Self {
        let from_any_place = Arc::new(Kept::new(Mutex::new(download.clone().reader())));
        Self { download: Kept::new(download), size, from_any_place }
    }
}

#[pymethods]
impl Reader {
    /// Up to `limit` bytes at a position, as they come; none at the end.
    fn read(&self, position: u64, limit: usize) -> Operation {
        let reader = self.from_any_place.clone();
        Operation::new(async move {
            let mut reader = reader.lock().await;
            go_to(&mut reader, position)?;
            let bytes = reader.next_bytes(limit).await?;
            Ok::<_, Failure>(Content(bytes.into_iter().collect()))
        })
    }

    /// Everything from a position to the end.
    fn read_all(&self, py: Python<'_>, position: u64) -> PyResult<Operation> {
        if position == 0 {
            // Whoever wants everything need not begin with little.
            let whole = Whole::new(py, usize::try_from(self.size)?)?;
            return Ok(Operation::new(fill((*self.download).clone(), whole)));
        }
        let reader = self.from_any_place.clone();
        Ok(Operation::new(async move {
            let mut reader = reader.lock().await;
            go_to(&mut reader, position)?;
            let mut pieces = Vec::new();
            while let Some(piece) = reader.next_bytes(usize::MAX).await? {
                pieces.push(piece);
            }
            Ok::<_, Failure>(Content(pieces))
        }))
    }
}

/// Fetches a content into its place, where the system gives memory while more is coming.
async fn fill(download: Download, mut whole: Whole) -> Result<Py<PyBytes>, Failure> {
    let other = || Failure::Input("the content has another size than the file".into());
    let mut pump = Pump::start(download);
    while let Some(piece) = pump.pieces.recv().await {
        if !whole.push(&piece?) {
            return Err(other());
        }
    }
    whole.finish().ok_or_else(other)
}

fn go_to(reader: &mut RemoteReader, position: u64) -> Result<(), Failure> {
    let seek = Pin::new(reader).start_seek(std::io::SeekFrom::Start(position));
    seek.map_err(|error| Failure::Input(error.to_string()))
}
