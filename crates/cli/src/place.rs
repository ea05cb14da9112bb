//! What an argument names: a remote path of some login, or a public link.

use supermega::{Link, LinkError, RemotePath, WriteAuth};

use crate::error::{CommandError, Result};
use crate::profile;

/// A remote path or a public link.
#[derive(Debug)]
pub enum Place {
    /// Below a root of an account or of the folder link that a profile is logged in to.
    Path {
        /// The profile that stands before it, unless it is the one of `--profile`.
        profile: Option<String>,
        /// The path.
        path: RemotePath,
    },
    /// A public link, with what it takes to write through it if that stands behind it.
    Link(Link, Option<WriteAuth>),
}

impl Place {
    /// Reads an argument. `mega:` or the name of a profile may stand before a path.
    pub fn read(text: &str) -> Result<Self> {
        if let Some((name, path)) = prefix(text) {
            let path = if path.is_empty() { "/" } else { path };
            let profile = (name != "mega").then(|| name.to_owned());
            return Ok(Self::Path { profile, path: path.parse()? });
        }
        if text.starts_with('/') || text.starts_with("H:") {
            return Ok(Self::Path { profile: None, path: text.parse()? });
        }
        match link_of(text) {
            Ok((link, auth)) => Ok(Self::Link(link, auth)),
            Err(LinkError::NotALink) => Err(CommandError::Usage(format!(
                "{text:?} is neither a remote path, which begins with /, nor a link"
            ))),
            Err(error) => Err(supermega::Error::Link(error).into()),
        }
    }
}

/// Reads a link, and the authorisation to write that `link make --writable` prints behind it.
pub fn link_of(text: &str) -> Result<(Link, Option<WriteAuth>), LinkError> {
    match text.trim().split_once(char::is_whitespace) {
        Some((link, auth)) => Ok((Link::parse(link)?, Some(auth.parse()?))),
        None => Ok((Link::parse(text)?, None)),
    }
}

/// Whether an argument of a verb that copies both ways means something remote: links do as they stand, paths
/// have a prefix.
pub fn is_remote(text: &str) -> bool {
    prefix(text).is_some() || text.starts_with("https://mega.")
}

/// Splits off `mega:` or `PROFILE:`. A single letter is a drive of Windows, or the `H` of a handle.
fn prefix(text: &str) -> Option<(&str, &str)> {
    let (name, path) = text.split_once(':')?;
    let is_address =
        path.starts_with("//") && !path.starts_with("//trash") && !path.starts_with("//in/");
    let is_path =
        path.starts_with('/') || path.starts_with("H:") || (name == "mega" && path.is_empty());
    (name.len() > 1 && is_path && !is_address && profile::is_name(name)).then_some((name, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_told_from_addresses() {
        for (text, split) in [
            ("mega:", Some(("mega", ""))),
            ("mega:/a", Some(("mega", "/a"))),
            ("mega://trash/a", Some(("mega", "//trash/a"))),
            ("work:/a:b", Some(("work", "/a:b"))),
            ("work:H:AQIDBAUG", Some(("work", "H:AQIDBAUG"))),
            ("me@example.org:/", Some(("me@example.org", "/"))),
            ("mega://folder/AAAAAAAG#x", None),
            ("https://mega.nz/folder/x", None),
            ("http://x", None),
            ("C:/temp", None),
            ("H:AQIDBAUG", None),
            ("../x:/y", None),
            ("work:", None),
            ("file:name", None),
        ] {
            assert_eq!(prefix(text), split, "{text}");
        }
    }

    #[test]
    fn what_lets_write_stands_behind_the_link() {
        let link = "https://mega.nz/folder/AAAAAAAG#QEFCQ0RFRkdISUpLTE1OTw";
        assert!(matches!(link_of(link), Ok((_, None))));
        let both = format!("{link} AAECAwQFBgcICQoLDA0ODw");
        assert!(matches!(link_of(&both), Ok((_, Some(_)))));
        assert!(matches!(link_of(&format!("{link} short")), Err(LinkError::BadWriteAuth)));
    }
}
