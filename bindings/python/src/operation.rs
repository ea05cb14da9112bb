//! Work that was described and not begun: a caller waits for it, or awaits it. Each call is written once that way, for
//! both kinds of programs.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::error::Failure;
use crate::runtime::{Kept, runtime, wait};

type Value = Box<dyn for<'py> FnOnce(Python<'py>) -> PyResult<Py<PyAny>> + Send>;
type Work = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send>>;

/// Work to be waited for once, by `wait()` or by `await`.
#[pyclass(frozen, module = "supermega._supermega")]
pub struct Operation(Mutex<Option<Kept<Work>>>);

impl Operation {
    /// Describes work whose result becomes a Python object.
    pub fn new<T, E, F>(work: F) -> Self
    where
        T: for<'py> IntoPyObject<'py> + Send + 'static,
        E: Into<Failure>,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let work = async move {
            let result = work.await.map_err(Into::into)?;
            let value: Value = Box::new(move |py| result.into_py_any(py));
            Ok(value)
        };
        Self(Mutex::new(Some(Kept::new(Box::pin(work)))))
    }

    fn take(&self) -> PyResult<Work> {
        let work = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let twice = || PyRuntimeError::new_err("an operation can be waited for once");
        work.and_then(Kept::into_inner).ok_or_else(twice)
    }
}

#[pymethods]
impl Operation {
    /// Does the work, and gives its result. `tick` is called some twenty times a second meanwhile; what it raises
    /// ends the work.
    #[pyo3(signature = (tick = None))]
    #[allow(clippy::needless_pass_by_value)] // The form that Python's arguments have.
    fn wait(&self, py: Python<'_>, tick: Option<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        let work = self.take()?;
        wait(py, work, tick.as_ref())?(py)
    }

    /// Does the work on the running event loop's behalf; a cancelled task drops it.
    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        runtime().map_err(|failure| failure.into_py(py))?;
        let work = self.take()?;
        let future = pyo3_async_runtimes::tokio::future_into_py(py, async move {
            let outcome = work.await;
            Python::attach(|py| {
                outcome.map_err(|failure| failure.into_py(py)).and_then(|value| value(py))
            })
        })?;
        future.call_method0("__await__")
    }
}
