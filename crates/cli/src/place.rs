//! What an argument names: a remote path or a public link.

use supermega::{Link, LinkError, RemotePath};

use crate::error::{CommandError, Result};

/// A remote path or a public link.
#[derive(Debug)]
pub enum Place {
    /// Below a root of the account or of the open folder link.
    Path(RemotePath),
    /// A public link.
    Link(Link),
}

impl Place {
    /// Reads an argument. `mega:` may stand before a path.
    pub fn read(text: &str) -> Result<Self> {
        let path = text.strip_prefix("mega:").filter(|rest| !rest.starts_with("//mega"));
        if let Some(path) = path {
            let path = if path.is_empty() { "/" } else { path };
            return Ok(Self::Path(path.parse()?));
        }
        if text.starts_with('/') || text.starts_with("H:") {
            return Ok(Self::Path(text.parse()?));
        }
        match Link::parse(text) {
            Ok(link) => Ok(Self::Link(link)),
            Err(LinkError::NotALink) => Err(CommandError::Usage(format!(
                "{text:?} is neither a remote path, which begins with /, nor a link"
            ))),
            Err(error) => Err(supermega::Error::Link(error).into()),
        }
    }

    /// Reads an argument that must be a path.
    pub fn path(text: &str) -> Result<RemotePath> {
        match Self::read(text)? {
            Self::Path(path) => Ok(path),
            Self::Link(_) => {
                Err(CommandError::Usage("a path of your own is needed here, not a link".into()))
            }
        }
    }
}
