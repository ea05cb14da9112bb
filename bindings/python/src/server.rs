//! The local server, for tests of programs that use MEGA.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use supermega_server::{Fault, LoggedRequest, Server as Local, ServerHandle};

use crate::error::Failure;
use crate::operation::Operation;
use crate::runtime::Kept;

/// A running server.
#[pyclass(frozen, module = "supermega._supermega")]
pub struct Server {
    url: String,
    handle: Mutex<Option<Arc<Kept<ServerHandle>>>>,
}

/// Kind, first number and second number of a request; the commands of a batch.
type Logged = (&'static str, Vec<String>, Option<u64>, Option<u64>);

fn logged(request: LoggedRequest) -> Logged {
    match request {
        LoggedRequest::Api(commands) => ("api", commands, None, None),
        LoggedRequest::AttributeDownload { .. } => ("attribute_download", Vec::new(), None, None),
        LoggedRequest::AttributeUpload { length } => {
            ("attribute_upload", Vec::new(), Some(0), Some(length))
        }
        LoggedRequest::Download { start, end, .. } => ("download", Vec::new(), Some(start), end),
        LoggedRequest::Event => ("event", Vec::new(), None, None),
        LoggedRequest::Upload { offset, length } => {
            ("upload", Vec::new(), Some(offset), Some(offset + length))
        }
        _ => ("other", Vec::new(), None, None),
    }
}

impl Server {
    fn handle(&self) -> Result<Arc<Kept<ServerHandle>>, Failure> {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).clone();
        handle.ok_or_else(|| Failure::Input("the server has been stopped".into()))
    }

    fn with<T>(&self, py: Python<'_>, act: impl FnOnce(&ServerHandle) -> T) -> PyResult<T> {
        let handle = self.handle().map_err(|failure| failure.into_py(py))?;
        Ok(act(&handle))
    }
}

#[pymethods]
impl Server {
    /// Starts a server on a random port of this machine.
    #[staticmethod]
    #[pyo3(signature = (users, *, faults = Vec::new(), data = None, quota = None, event_hold = None))]
    fn start(
        users: Vec<(String, String)>,
        faults: Vec<String>,
        data: Option<PathBuf>,
        quota: Option<u64>,
        event_hold: Option<f64>,
    ) -> Operation {
        Operation::new(async move {
            let mut builder = Local::builder();
            for (email, password) in &users {
                builder = builder.user(email, password);
            }
            for fault in &faults {
                builder = builder.fault(fault.parse::<Fault>()?);
            }
            if let Some(data) = data {
                builder = builder.data_dir(data);
            }
            if let Some(quota) = quota {
                builder = builder.quota(quota);
            }
            if let Some(hold) = event_hold {
                builder = builder.event_hold(Duration::from_secs_f64(hold.clamp(0.01, 3600.0)));
            }
            let handle = builder.spawn().await?;
            let url = handle.url().to_owned();
            let handle = Mutex::new(Some(Arc::new(Kept::new(handle))));
            Ok::<_, Failure>(Self { url, handle })
        })
    }

    /// The API address.
    #[getter]
    fn url(&self) -> &str {
        &self.url
    }

    /// Makes an account while the server runs.
    fn add_user(&self, email: String, password: String) -> Operation {
        let handle = self.handle();
        Operation::new(async move { Ok::<_, Failure>(handle?.add_user(&email, &password).await?) })
    }

    /// Misbehaves from now on.
    fn add_fault(&self, py: Python<'_>, fault: &str) -> PyResult<()> {
        let fault = fault.parse::<Fault>().map_err(|error| Failure::from(error).into_py(py))?;
        self.with(py, |handle| handle.add_fault(fault))
    }

    /// Behaves again.
    fn clear_faults(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, ServerHandle::clear_faults)
    }

    /// What clients have asked so far.
    fn requests(&self, py: Python<'_>) -> PyResult<Vec<Logged>> {
        self.with(py, |handle| handle.request_log().into_iter().map(logged).collect())
    }

    /// Forgets what clients have asked.
    fn clear_requests(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, ServerHandle::clear_request_log)
    }

    /// How many connections clients have made so far.
    fn connections(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, ServerHandle::connections)
    }

    /// Receiver, kind and link of each mail that would have gone out.
    fn outbox(&self) -> Operation {
        let handle = self.handle();
        Operation::new(async move {
            let mails = handle?.outbox().await?;
            let mails = mails.into_iter().map(|mail| (mail.to, mail.kind.name(), mail.link));
            Ok::<_, Failure>(mails.collect::<Vec<_>>())
        })
    }

    /// Stops it, and gives up what is under way.
    fn stop(&self) -> Operation {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        Operation::new(async move {
            if let Some(handle) = handle.and_then(Arc::into_inner).and_then(Kept::into_inner) {
                handle.shutdown().await;
            }
            Ok::<_, Failure>(())
        })
    }

    fn __repr__(&self) -> String {
        format!("<server at {}>", self.url)
    }
}
