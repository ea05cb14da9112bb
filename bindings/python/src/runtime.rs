//! The runtime that everything runs on: waiting on it without the GIL, and what becomes of it in a forked process.

use std::future::Future;
use std::ops::Deref;
use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use pyo3::prelude::*;
use tokio::runtime::Runtime;

use crate::error::Failure;

/// How often a wait looks for signals, and whoever waits is asked whether to go on.
const TICK: Duration = Duration::from_millis(50);

/// The process that has the runtime's threads: none of them is there after a fork.
static OWNER: OnceLock<u32> = OnceLock::new();

/// The runtime, which the first caller starts.
pub fn runtime() -> Result<&'static Runtime, Failure> {
    let this = std::process::id();
    match *OWNER.get_or_init(|| this) == this {
        true => Ok(pyo3_async_runtimes::tokio::get_runtime()),
        false => Err(Failure::Forked),
    }
}

fn is_forked() -> bool {
    OWNER.get().is_some_and(|owner| *owner != std::process::id())
}

/// Waits for `work` without the GIL. Signals end the wait, and so does an exception of `tick`, which is called many
/// times a second; the work is dropped then.
pub fn wait<T: Send>(
    py: Python<'_>,
    work: impl Future<Output = Result<T, Failure>> + Send,
    tick: Option<&Py<PyAny>>,
) -> PyResult<T> {
    let runtime = runtime().map_err(|failure| failure.into_py(py))?;
    let outcome = py.detach(|| {
        runtime.block_on(async {
            let mut work = pin!(work);
            loop {
                if let Ok(outcome) = tokio::time::timeout(TICK, &mut work).await {
                    return outcome;
                }
                Python::attach(|py| {
                    py.check_signals()?;
                    tick.map_or(Ok(()), |tick| tick.call0(py).map(drop))
                })?;
            }
        })
    });
    outcome.map_err(|failure| failure.into_py(py))
}

/// Something that belongs to the runtime. A forked process leaves it alone: its end is the parent's to see to.
pub struct Kept<T>(Option<T>);

impl<T> Kept<T> {
    pub fn new(value: T) -> Self {
        Self(Some(value))
    }

    pub fn into_inner(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is taken out by `into_inner` and `drop` alone")
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        if is_forked() {
            std::mem::forget(self.0.take());
        }
    }
}
