//! What a share allows, known before the service is asked (`protocol-api.md` 2.9).

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::tree::{Node, Tree};

/// How much somebody may do with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// See and download.
    Read,
    /// Upload and make folders too.
    Write,
    /// Rename, move and delete too.
    Full,
    /// Everything: the node is one's own.
    Owner,
}

impl Access {
    /// The number on the wire; an owner has none.
    #[must_use]
    pub fn level(self) -> Option<u8> {
        match self {
            Self::Read => Some(0),
            Self::Write => Some(1),
            Self::Full => Some(2),
            Self::Owner => None,
        }
    }

    pub(crate) fn of_level(level: u8) -> Self {
        match level {
            0 => Self::Read,
            1 => Self::Write,
            _ => Self::Full,
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Full => "full",
            Self::Owner => "owner",
        })
    }
}

impl FromStr for Access {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            "full" => Ok(Self::Full),
            _ => Err(Error::Input(format!("{text:?} is none of read, write and full"))),
        }
    }
}

/// The root of somebody else's share or link around a node, and what it allows.
fn share_around(tree: &Tree, node: &Node) -> Option<(Node, Access)> {
    if let Some(access) = tree.link_access() {
        return Some((tree.root().ok()?, access));
    }
    let root = tree.ancestors(node).filter(|node| node.sharer().is_some()).last()?;
    // Of shares inside each other the innermost counts.
    let level = tree.ancestors(node).find_map(|node| node.row().access);
    Some((root, level.map_or(Access::Read, Access::of_level)))
}

/// An error unless so much is allowed with a node.
pub(crate) fn must_allow(tree: &Tree, node: &Node, needed: Access) -> Result<()> {
    match share_around(tree, node) {
        Some((root, access)) if access < needed => Err(Error::Refused(format!(
            "{} is shared with you for {access} only; this needs {needed}",
            root.label()
        ))),
        _ => Ok(()),
    }
}

/// An error unless a node may be moved into a folder. Nothing can be moved from one owner to another.
pub(crate) fn must_allow_move(tree: &Tree, node: &Node, folder: &Node) -> Result<()> {
    if node.sharer().is_some() {
        let text = format!("{} is the root of somebody's share and stays", node.label());
        return Err(Error::Refused(text));
    }
    must_allow(tree, node, Access::Full)?;
    must_allow(tree, folder, Access::Write)?;
    let root = |node: &Node| share_around(tree, node).map(|(root, _)| root.handle());
    if root(node) != root(folder) {
        let text = format!("{} cannot be moved to another owner: copy it", node.label());
        return Err(Error::Refused(text));
    }
    Ok(())
}

impl Tree {
    /// How much this account may do with a node.
    #[must_use]
    pub fn access(&self, node: &Node) -> Access {
        share_around(self, node).map_or(Access::Owner, |(_, access)| access)
    }
}
