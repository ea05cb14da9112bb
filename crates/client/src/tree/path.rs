//! Remote paths: `/Photos/2024`, `//trash/old`, `//in/me@example.org/…`, `H:AQIDBAUG`.

use std::fmt;
use std::str::FromStr;

use supermega_encoding::NodeHandle;

use crate::error::Error;

/// Names a node from a root of the account, or by its handle.
///
/// The handle is the only way to names that hold a slash, and to namesakes in one folder.
///
/// ```
/// use supermega::RemotePath;
///
/// let path: RemotePath = "/Photos//2024/".parse()?;
/// assert_eq!(path.to_string(), "/Photos/2024");
/// assert_eq!(path.join("summer").file_name(), Some("summer"));
/// # Ok::<(), supermega::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemotePath {
    root: RemoteRoot,
    names: Vec<String>,
}

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemoteRoot {
    /// `/`: the cloud drive, or the root of a folder link.
    Cloud,
    /// `//trash`: the rubbish bin.
    Trash,
    /// `//in/SHARER`: what this user shares, by e-mail address or handle.
    Incoming(String),
    /// `H:HANDLE`: the node with this handle.
    Handle(NodeHandle),
}

impl RemotePath {
    /// The root of the cloud drive or of a folder link.
    #[must_use]
    pub fn root() -> Self {
        Self { root: RemoteRoot::Cloud, names: Vec::new() }
    }

    /// The rubbish bin.
    #[must_use]
    pub fn trash() -> Self {
        Self { root: RemoteRoot::Trash, names: Vec::new() }
    }

    /// The node with this handle.
    #[must_use]
    pub fn handle(handle: NodeHandle) -> Self {
        Self { root: RemoteRoot::Handle(handle), names: Vec::new() }
    }

    /// Where it begins.
    #[must_use]
    pub fn start(&self) -> &RemoteRoot {
        &self.root
    }

    /// The names below the root.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The last name, if there is one.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.names.last().map(String::as_str)
    }

    /// The path without its last name, if there is one.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, names) = self.names.split_last()?;
        Some(Self { root: self.root.clone(), names: names.to_vec() })
    }

    /// The path of `name` below this one. The name is taken as it is, slashes and all.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let mut names = self.names.clone();
        names.push(name.to_owned());
        Self { root: self.root.clone(), names }
    }
}

impl FromStr for RemotePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(rest) = text.strip_prefix("H:") {
            let (handle, rest) = rest.split_once('/').unwrap_or((rest, ""));
            let handle = handle.parse().map_err(|_| {
                Error::Input(format!("{text}: a handle has 8 characters, as in H:AQIDBAUG"))
            })?;
            return Ok(Self { root: RemoteRoot::Handle(handle), names: names(rest) });
        }
        let special =
            text.strip_prefix("//").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
        match special {
            Some(("trash", rest)) => Ok(Self { root: RemoteRoot::Trash, names: names(rest) }),
            Some(("in", rest)) if !rest.is_empty() => {
                let (sharer, rest) = rest.split_once('/').unwrap_or((rest, ""));
                let root = RemoteRoot::Incoming(sharer.to_owned());
                Ok(Self { root, names: names(rest) })
            }
            _ if text.starts_with('/') => Ok(Self { root: RemoteRoot::Cloud, names: names(text) }),
            _ => {
                let text = format!("{text}: a remote path begins with a slash, as in /Photos");
                Err(Error::Input(text))
            }
        }
    }
}

fn names(text: &str) -> Vec<String> {
    text.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            RemoteRoot::Cloud if self.names.is_empty() => f.write_str("/")?,
            RemoteRoot::Cloud => {}
            RemoteRoot::Trash => f.write_str("//trash")?,
            RemoteRoot::Incoming(sharer) => write!(f, "//in/{sharer}")?,
            RemoteRoot::Handle(handle) => write!(f, "H:{handle}")?,
        }
        self.names.iter().try_for_each(|name| write!(f, "/{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_root_is_read_and_written() {
        for text in ["/", "/a/b", "//trash", "//trash/x", "//in/a@b.c/d", "H:AQIDBAUG/e"] {
            assert_eq!(text.parse::<RemotePath>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "a/b", "H:short", "trash"] {
            assert!(matches!(text.parse::<RemotePath>(), Err(Error::Input(_))), "{text}");
        }
    }

    #[test]
    fn dots_are_names_like_others() {
        assert_eq!("/a/../b".parse::<RemotePath>().unwrap().names(), ["a", "..", "b"]);
    }
}
