//! The library's errors as the exceptions of `supermega.errors`.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use supermega::{AuthenticationError, Error, QuotaKind};
use supermega_server::{FaultSyntaxError, ServerError};

/// Why something failed, until it is an exception.
#[derive(Debug)]
pub enum Failure {
    /// The library's error.
    Library(Error),
    /// The local server's error.
    Server(ServerError),
    /// A misuse that the binding itself sees.
    Input(String),
    /// The process is a fork of the one that has the runtime.
    Forked,
    /// An exception of Python code that was called on the way.
    Python(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self::Server(error)
    }
}

impl From<FaultSyntaxError> for Failure {
    fn from(error: FaultSyntaxError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<supermega::LinkError> for Failure {
    fn from(error: supermega::LinkError) -> Self {
        Self::Library(error.into())
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl Failure {
    /// The exception.
    pub fn into_py(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Library(error) => {
                exception(py, &error).unwrap_or_else(|_| PyRuntimeError::new_err(error.to_string()))
            }
            Self::Server(error) => one(py, "SupermegaError", error.to_string()),
            Self::Input(text) => one(py, "InputError", text),
            Self::Forked => one(
                py,
                "ForkError",
                "this process was forked from one that uses supermega, whose threads it does not have: start \
                 processes by \"spawn\" or \"forkserver\", or connect in the child alone"
                    .into(),
            ),
            Self::Python(error) => error,
        }
    }
}

fn one(py: Python<'_>, class: &str, text: String) -> PyErr {
    make(py, class, (text,)).unwrap_or_else(|error| error)
}

fn make<'py>(
    py: Python<'py>,
    class: &str,
    arguments: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyResult<PyErr> {
    let class = py.import("supermega.errors")?.getattr(class)?;
    Ok(PyErr::from_value(class.call1(arguments.into_pyobject(py)?)?))
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let text = error.to_string();
    match error {
        Error::Authentication(AuthenticationError::MfaRequired) => make(py, "MfaRequired", (text,)),
        Error::Authentication(AuthenticationError::SessionEnded) => {
            make(py, "SessionEnded", (text,))
        }
        Error::Authentication(_) => make(py, "AuthenticationError", (text,)),
        Error::AlreadyExists { .. } => make(py, "AlreadyExistsError", (text,)),
        Error::Ambiguous { handles, .. } => {
            let handles: Vec<String> = handles.iter().map(|handle| format!("H:{handle}")).collect();
            make(py, "AmbiguousError", (text, handles))
        }
        Error::NotFound { .. } => make(py, "NotFoundError", (text,)),
        Error::Quota { kind, wait } => {
            let kind = match kind {
                QuotaKind::Storage => "storage",
                QuotaKind::Transfer => "transfer",
            };
            make(py, "QuotaExceeded", (text, wait.map(|wait| wait.as_secs()), kind))
        }
        Error::Integrity { .. } | Error::Crypto(_) => make(py, "IntegrityError", (text,)),
        Error::Protocol(_) => make(py, "SchemaError", (text,)),
        Error::Service { command, failure } => {
            make(py, "ApiError", (text, failure.code.number(), *command))
        }
        Error::Network(_) => make(py, "NetworkError", (text,)),
        Error::Link(_) => make(py, "LinkError", (text,)),
        Error::Input(_) => make(py, "InputError", (text,)),
        Error::Refused(_) => make(py, "RefusedError", (text,)),
        Error::Local { path, source } => {
            let reason = source.to_string();
            let number = source.raw_os_error();
            let local = py.import("supermega.errors")?.getattr("local")?;
            let exception = local.call1((number, reason, path.display().to_string()))?;
            Ok(PyErr::from_value(exception))
        }
        _ => make(py, "SupermegaError", (text,)),
    }
}
