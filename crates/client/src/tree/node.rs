//! A node as its owner sees it: with its name, or with the reason why that cannot be read.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use supermega_crypto::{Attributes, FileKey, Fingerprint, NodeKey};
use supermega_encoding::{NodeHandle, UserHandle};

use super::row::Row;
use crate::keys::KeyRing;
use crate::unix_time;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeKind {
    /// A file.
    File,
    /// A folder, also one that somebody shares and the root of a folder link.
    Folder,
    /// The root of the cloud drive.
    Root,
    /// The vault, which holds backups.
    Vault,
    /// The rubbish bin.
    Trash,
}

/// Why a node cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// Its attributes do not open with its key.
    BadAttributes,
    /// Its key is no key.
    BadKey,
    /// No key of this session opens it.
    NoKey,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadAttributes => "its attributes do not open with its key",
            Self::BadKey => "its key is damaged",
            Self::NoKey => "no key of this session opens it",
        })
    }
}

/// A file or folder. Cheap to clone; it shows the node as it was in the snapshot it came from.
#[derive(Clone)]
pub struct Node(pub(crate) Arc<Record>);

pub(crate) struct Record {
    pub row: Row,
    pub content: Result<(NodeKey, Attributes), Problem>,
}

impl NodeKind {
    /// The number that stands for it in rows: the one on the wire.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::File => 0,
            Self::Folder => 1,
            Self::Root => 2,
            Self::Vault => 3,
            Self::Trash => 4,
        }
    }

    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::File,
            1 => Self::Folder,
            2 => Self::Root,
            3 => Self::Vault,
            4 => Self::Trash,
            _ => return None,
        })
    }
}

impl Node {
    /// Opens a node; one that cannot be opened is kept with the reason.
    pub(crate) fn open(keys: &KeyRing, row: Row) -> Self {
        let content = keys.open(&row.node_keys(), row.node_type(), &row.attributes);
        Self(Arc::new(Record { row, content }))
    }

    /// The handle, which stays the same when the node is moved or renamed.
    #[must_use]
    pub fn handle(&self) -> NodeHandle {
        self.0.row.handle
    }

    /// The folder it lies in; roots have none.
    #[must_use]
    pub fn parent(&self) -> Option<NodeHandle> {
        self.0.row.parent
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> NodeKind {
        self.0.row.kind
    }

    /// Whether it is a file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.0.row.kind == NodeKind::File
    }

    /// The name, if it could be read. It is somebody else's text: see [`crate::name`] before it
    /// becomes a local path.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.content.as_ref().ok().and_then(|(_, attributes)| attributes.name())
    }

    /// Why it cannot be read, if it cannot. Roots have no attributes and no problem.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        match (&self.0.content, self.0.row.kind) {
            (Err(problem), NodeKind::File | NodeKind::Folder) => Some(*problem),
            _ => None,
        }
    }

    /// Size in bytes; 0 for folders.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.row.size
    }

    /// The owner.
    #[must_use]
    pub fn owner(&self) -> Option<UserHandle> {
        self.0.row.owner
    }

    /// Who shares it with this account, if it is the root of an incoming share.
    #[must_use]
    pub fn sharer(&self) -> Option<UserHandle> {
        self.0.row.sharer
    }

    /// When the server made the node.
    #[must_use]
    pub fn created(&self) -> Option<SystemTime> {
        self.0.row.created.and_then(unix_time::to_system)
    }

    /// When the file was changed last on the machine it came from.
    #[must_use]
    pub fn modified(&self) -> Option<SystemTime> {
        self.mtime().and_then(unix_time::to_system)
    }

    /// Checksum and modification time, if whoever uploaded the file wrote them.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.attributes().and_then(Attributes::fingerprint)
    }

    /// All attributes, those among them that this library does not know.
    #[must_use]
    pub fn attributes(&self) -> Option<&Attributes> {
        self.0.content.as_ref().ok().map(|(_, attributes)| attributes)
    }

    /// Modification time in seconds since 1970.
    pub(crate) fn mtime(&self) -> Option<i64> {
        self.fingerprint().map(|fingerprint| fingerprint.mtime)
    }

    pub(crate) fn key(&self) -> Option<&NodeKey> {
        self.0.content.as_ref().ok().map(|(key, _)| key)
    }

    pub(crate) fn file_key(&self) -> Option<&FileKey> {
        match self.key() {
            Some(NodeKey::File(key)) => Some(key),
            _ => None,
        }
    }

    /// The name for messages; a handle where there is none.
    pub(crate) fn label(&self) -> String {
        match (self.name(), self.0.row.kind) {
            (_, NodeKind::Root) => "/".into(),
            (_, NodeKind::Trash) => "//trash".into(),
            (_, NodeKind::Vault) => "//vault".into(),
            (Some(name), _) => name.to_owned(),
            (None, _) => format!("H:{}", self.0.row.handle),
        }
    }

    /// The node as it was received, to be changed.
    pub(crate) fn row(&self) -> &Row {
        &self.0.row
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("handle", &self.0.row.handle)
            .field("kind", &self.0.row.kind)
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}
