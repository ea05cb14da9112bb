//! How far a transfer is: written by the library's threads, read by whoever waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use supermega::transfer::{NoProgress, Progress, TransferEvent};

/// Counts the bytes of a transfer.
#[pyclass(frozen, module = "supermega._supermega")]
#[derive(Default)]
pub struct Meter(Arc<Count>);

#[derive(Default)]
struct Count {
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress for Count {
    fn event(&self, event: TransferEvent<'_>) {
        match event {
            TransferEvent::Started { bytes, .. } => self.total.store(bytes, Ordering::Relaxed),
            TransferEvent::Advanced { bytes } | TransferEvent::Resumed { bytes } => {
                self.done.fetch_add(bytes, Ordering::Relaxed);
            }
            TransferEvent::Restarted { bytes } => {
                self.done.fetch_sub(bytes, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

/// What the library tells: to the meter, or to nobody.
pub fn progress(meter: Option<&Bound<'_, Meter>>) -> Arc<dyn Progress> {
    match meter {
        Some(meter) => meter.get().0.clone(),
        None => Arc::new(NoProgress),
    }
}

#[pymethods]
impl Meter {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Bytes that are there.
    #[getter]
    fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed)
    }

    /// Bytes in all, once that is known.
    #[getter]
    fn total(&self) -> u64 {
        self.0.total.load(Ordering::Relaxed)
    }
}
