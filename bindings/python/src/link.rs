//! Public links.

use pyo3::prelude::*;
use supermega::{Client, Error, Link, LinkError, ProtectedLink};

use crate::error::Failure;
use crate::node::seconds;

/// Whether a text is a public link, in any of the forms that MEGA has given them.
#[pyfunction]
pub fn is_link(text: &str) -> bool {
    !matches!(Link::parse(text), Err(LinkError::NotALink | LinkError::ForeignHost))
}

/// A public link of the account.
#[pyclass(frozen, get_all, module = "supermega._supermega")]
pub struct PublicLink {
    /// What it leads to.
    pub node: Py<crate::node::Node>,
    /// The link with its key, unless that is not known: whoever has it can read the file or folder.
    pub url: Option<String>,
    /// When it was made, in seconds since 1970.
    pub created: Option<f64>,
    /// When it ends, in seconds since 1970.
    pub expires: Option<f64>,
    /// Whether the service took it down.
    pub taken_down: bool,
}

#[pymethods]
impl PublicLink {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<link to {}>", self.node.bind(py).repr()?))
    }
}

/// A public link, until it is a Python object.
pub struct Listed(pub supermega::PublicLink);

impl<'py> IntoPyObject<'py> for Listed {
    type Target = PublicLink;
    type Output = Bound<'py, PublicLink>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let Self(link) = self;
        let link = PublicLink {
            node: Py::new(py, crate::node::Node(link.node))?,
            url: link.link.map(|link| link.to_url()),
            created: link.created.map(seconds),
            expires: link.expires.map(seconds),
            taken_down: link.taken_down,
        };
        Bound::new(py, link)
    }
}

/// Reads a link, and opens it with its password if it has one.
pub async fn read(text: &str, password: Option<String>) -> Result<Link, Failure> {
    match (Link::parse(text)?, password) {
        (Link::Protected(link), Some(password)) => {
            let opened = tokio::task::spawn_blocking(move || link.open(&password)).await;
            opened.map_or_else(|_| Err(stopped()), |link| Ok(link?))
        }
        (Link::Protected(_), None) => {
            Err(Failure::Input("the link is protected: its password is needed".into()))
        }
        (link, _) => Ok(link),
    }
}

/// Puts a password before a link.
pub async fn protect(link: Link, password: String) -> Result<String, Failure> {
    let protected = tokio::task::spawn_blocking(move || ProtectedLink::protect(&link, &password));
    let protected = protected.await.map_err(|_| stopped())?;
    Ok(protected.map_err(Error::from)?.to_url())
}

fn stopped() -> Failure {
    Failure::Input("the runtime is shutting down".into())
}

/// Opens the file that a link leads to: that of a file link, or one inside a linked folder.
pub async fn open_file(
    client: &Client,
    link: &Link,
) -> Result<crate::remote_file::RemoteFile, Failure> {
    use crate::remote_file::RemoteFile;
    if let Link::Folder { inside: Some(supermega::Inside::File(handle)), .. } = link {
        let session = client.open_folder(link).await?;
        let node = session.tree().await?.node(*handle);
        let node = node.ok_or_else(|| Error::NotFound { what: format!("H:{handle}") })?;
        return Ok(RemoteFile::of_node(&session, &node)?);
    }
    Ok(RemoteFile::of_link(&client.open_file(link).await?)?)
}
