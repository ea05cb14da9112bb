//! Where the service is, and the ways in.

use std::time::Duration;

use pyo3::prelude::*;
use supermega::{Credentials, Error, Link, TotpSecret};

use crate::error::Failure;
use crate::link;
use crate::operation::Operation;
use crate::runtime::Kept;
use crate::session::Session;

/// Knows where the service is.
#[pyclass(frozen, module = "supermega._supermega")]
pub struct Client(Kept<supermega::Client>);

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (api_url = None, *, timeout = None, patience = None))]
    fn new(
        py: Python<'_>,
        api_url: Option<String>,
        timeout: Option<f64>,
        patience: Option<f64>,
    ) -> PyResult<Self> {
        let build = || {
            let mut builder = supermega::Client::builder();
            if let Some(url) = api_url {
                builder = builder.api_url(url);
            }
            let time = |seconds| {
                let wrong = |_| Error::Input(format!("{seconds} is no number of seconds"));
                Duration::try_from_secs_f64(seconds).map_err(wrong)
            };
            if let Some(timeout) = timeout {
                builder = builder.timeout(time(timeout)?);
            }
            if let Some(patience) = patience {
                builder = builder.patience(time(patience)?);
            }
            builder.build()
        };
        let client = build().map_err(|error| Failure::from(error).into_py(py))?;
        Ok(Self(Kept::new(client)))
    }

    /// The service's address.
    #[getter]
    fn api_url(&self) -> &str {
        self.0.api_url()
    }

    /// Logs in with e-mail address and password, and a second factor's code or secret where the account has one.
    #[pyo3(signature = (email, password, *, mfa_code = None, totp_secret = None, live = false))]
    fn login(
        &self,
        email: &str,
        password: &str,
        mfa_code: Option<&str>,
        totp_secret: Option<&str>,
        live: bool,
    ) -> Operation {
        let client = self.0.clone();
        let mut credentials = Credentials::new(email, password);
        if let Some(code) = mfa_code {
            credentials = credentials.mfa_code(code);
        }
        let secret = totp_secret.map(str::parse::<TotpSecret>).transpose();
        Operation::new(async move {
            if let Some(secret) = secret.map_err(|error| Failure::Input(error.to_string()))? {
                credentials = credentials.totp_secret(secret);
            }
            Ok::<_, Failure>(Session::new(client.login_with(credentials).await?, live))
        })
    }

    /// Comes back to a saved session.
    #[pyo3(signature = (saved, *, live = false))]
    fn resume(&self, saved: String, live: bool) -> Operation {
        let client = self.0.clone();
        let saved = zeroize::Zeroizing::new(saved);
        Operation::new(
            async move { Ok::<_, Failure>(Session::new(client.resume(&saved).await?, live)) },
        )
    }

    /// Makes an account without e-mail address and password.
    #[pyo3(signature = (*, live = false))]
    fn ephemeral(&self, live: bool) -> Operation {
        let client = self.0.clone();
        Operation::new(
            async move { Ok::<_, Failure>(Session::new(client.ephemeral().await?, live)) },
        )
    }

    /// Opens the link of a folder.
    #[pyo3(signature = (url, *, password = None, live = false))]
    fn open_folder(&self, url: String, password: Option<String>, live: bool) -> Operation {
        let client = self.0.clone();
        Operation::new(async move {
            let link = link::read(&url, password).await?;
            Ok::<_, Failure>(Session::new(client.open_folder(&link).await?, live))
        })
    }

    /// Opens the file that a link leads to.
    #[pyo3(signature = (url, *, password = None))]
    fn open_file(&self, url: String, password: Option<String>) -> Operation {
        let client = self.0.clone();
        Operation::new(async move {
            let link = link::read(&url, password).await?;
            link::open_file(&client, &link).await
        })
    }

    /// Whether a link leads to a folder; the service is not asked.
    #[staticmethod]
    fn leads_to_folder(py: Python<'_>, url: &str) -> PyResult<bool> {
        match Link::parse(url).map_err(|error| Failure::from(error).into_py(py))? {
            Link::Folder { inside, .. } => Ok(!matches!(inside, Some(supermega::Inside::File(_)))),
            Link::Protected(link) => Ok(link.is_folder()),
            _ => Ok(false),
        }
    }

    /// The public handle of a link, which is no secret.
    #[staticmethod]
    fn link_handle(py: Python<'_>, url: &str) -> PyResult<String> {
        let link = Link::parse(url).map_err(|error| Failure::from(error).into_py(py))?;
        Ok(link.handle().to_string())
    }

    fn __repr__(&self) -> String {
        format!("<client of {}>", self.0.api_url())
    }
}
