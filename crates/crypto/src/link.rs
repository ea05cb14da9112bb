//! Public links (`protocol-auth.md` 7.1 to 7.4).
//!
//! A link says where something is and, unless the key travels apart, how to decrypt it. Every
//! form that was ever in use is read; only the new one is written.
//!
//! ```
//! use supermega_crypto::{Link, LinkError};
//!
//! let link: Link = "https://mega.nz/#F!AAAAAAAG!QEFCQ0RFRkdISUpLTE1OTw".parse()?;
//! assert_eq!(link.to_string(), "https://mega.nz/folder/AAAAAAAG#QEFCQ0RFRkdISUpLTE1OTw");
//!
//! let keyless = Link::parse("https://mega.nz/folder/AAAAAAAG")?;
//! assert_eq!(keyless.folder_key(), Err(LinkError::MissingKey));
//! # Ok::<(), LinkError>(())
//! ```

mod parse;
mod protected;
mod write_auth;

pub use protected::ProtectedLink;
pub use write_auth::WriteAuth;

use std::fmt;
use std::str::FromStr;

use supermega_encoding::{NodeHandle, PublicHandle, base64};

use crate::secret::any_secret;
use crate::{FileKey, ShareKey};

const SITE: &str = "https://mega.nz/";

any_secret!(
    /// The key of a collection, which MEGA calls a set (`protocol-auth.md` 4.14).
    SetKey, 16
);

/// Why a text is not a link, or a link does not give what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The handle is not 8 characters of base64url.
    #[error("the link's handle is malformed")]
    BadHandle,
    /// The key is not one, or it is a zero key.
    #[error("the link's key is malformed")]
    BadKey,
    /// What is to let the link's reader write is not 22 characters of base64url.
    #[error("the authorisation to write through the link is malformed")]
    BadWriteAuth,
    /// The address of another site.
    #[error("the link leads to another site than MEGA")]
    ForeignHost,
    /// The link came without its key, which travels apart then.
    #[error("the link does not hold its key")]
    MissingKey,
    /// The text is no link to something stored.
    #[error("not a link to a file, a folder or a collection")]
    NotALink,
    /// Links of this kind have no form with a password.
    #[error("this kind of link cannot be protected by a password")]
    NotProtectable,
    /// The key, or what protects it, is too short: the end was lost on the way.
    #[error("the link is cut short")]
    Truncated,
    /// The link is protected in a way that we do not know.
    #[error("the link's password protection is of an unknown kind")]
    UnknownAlgorithm,
    /// The password does not open the link, or the link was changed.
    #[error("the password does not open this link")]
    WrongPassword,
}

/// A public link.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Link {
    /// A collection of files.
    Collection {
        /// Its public handle.
        handle: PublicHandle,
        /// Its key, unless that travels apart.
        key: Option<SetKey>,
    },
    /// One file.
    File {
        /// Its public handle.
        handle: PublicHandle,
        /// Its key, unless that travels apart.
        key: Option<FileKey>,
    },
    /// A folder with all that is in it.
    Folder {
        /// Its public handle, which is not the handle of its root node.
        handle: PublicHandle,
        /// Its key, unless that travels apart.
        key: Option<ShareKey>,
        /// What the link points to inside of the folder.
        inside: Option<Inside>,
    },
    /// A link to a file or folder that a password opens.
    Protected(ProtectedLink),
}

/// A node inside a linked folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Inside {
    /// A file.
    File(NodeHandle),
    /// A folder.
    Folder(NodeHandle),
}

impl Link {
    /// Reads a link in any of its forms (`protocol-auth.md` 7.1 to 7.3).
    ///
    /// White space and punctuation around it are passed over, and a fragment that a mail program
    /// has percent-encoded is repaired. Another site's address is refused.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        parse::link(text)
    }

    /// The link as text, in the new form and with its key, if it has one.
    #[must_use]
    pub fn to_url(&self) -> String {
        self.to_string()
    }

    /// The public handle.
    #[must_use]
    pub const fn handle(&self) -> PublicHandle {
        match self {
            Self::Collection { handle, .. }
            | Self::File { handle, .. }
            | Self::Folder { handle, .. } => *handle,
            Self::Protected(link) => link.handle(),
        }
    }

    /// The key of a linked file, which a caller demands.
    pub fn file_key(&self) -> Result<&FileKey, LinkError> {
        match self {
            Self::File { key: Some(key), .. } => Ok(key),
            Self::File { .. } | Self::Protected(_) => Err(LinkError::MissingKey),
            _ => Err(LinkError::NotALink),
        }
    }

    /// The key of a linked folder, which a caller demands.
    pub fn folder_key(&self) -> Result<&ShareKey, LinkError> {
        match self {
            Self::Folder { key: Some(key), .. } => Ok(key),
            Self::Folder { .. } | Self::Protected(_) => Err(LinkError::MissingKey),
            _ => Err(LinkError::NotALink),
        }
    }

    /// The same link with the key that came apart from it, as text. A protected link stays as
    /// it is.
    pub fn with_key(self, text: &str) -> Result<Self, LinkError> {
        let text = text.trim().trim_start_matches(['#', '!']);
        Ok(match self {
            Self::Collection { handle, .. } => {
                Self::Collection { handle, key: Some(parse::set_key(text)?) }
            }
            Self::File { handle, .. } => Self::File { handle, key: Some(parse::file_key(text)?) },
            Self::Folder { handle, inside, .. } => {
                Self::Folder { handle, key: Some(parse::share_key(text)?), inside }
            }
            Self::Protected(link) => Self::Protected(link),
        })
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        Self::parse(text)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, handle, key): (_, _, Option<&[u8]>) = match self {
            Self::Collection { handle, key } => {
                ("collection", handle, key.as_ref().map(|key| &key.as_bytes()[..]))
            }
            Self::File { handle, key } => {
                ("file", handle, key.as_ref().map(|key| &key.as_bytes()[..]))
            }
            Self::Folder { handle, key, .. } => {
                ("folder", handle, key.as_ref().map(|key| &key.as_bytes()[..]))
            }
            Self::Protected(link) => return fmt::Display::fmt(link, f),
        };
        write!(f, "{SITE}{kind}/{handle}")?;
        let inside = if let Self::Folder { inside, .. } = self { *inside } else { None };
        if key.is_some() || inside.is_some() {
            write!(f, "#{}", base64::encode(key.unwrap_or_default()))?;
        }
        match inside {
            Some(Inside::File(node)) => write!(f, "/file/{node}"),
            Some(Inside::Folder(node)) => write!(f, "/folder/{node}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collection { handle, .. } => write!(f, "Link::Collection({handle}, ..)"),
            Self::File { handle, .. } => write!(f, "Link::File({handle}, ..)"),
            Self::Folder { handle, inside, .. } => {
                write!(f, "Link::Folder({handle}, .., {inside:?})")
            }
            Self::Protected(link) => fmt::Debug::fmt(link, f),
        }
    }
}
