//! How far a caller may go with a node: his own, one of a share, or one of a folder link
//! (`protocol-api.md` 2.9, 6.2, 6.6).

use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::tree::NodeType;
use supermega_protocol::{ErrorCode, Flag, is_set};

use super::call::{ApiError, Call, Caller};
use crate::store::nodes::{self, Node};
use crate::store::shares;

/// How far one may go with a node, from the least on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    Read,
    /// Put new nodes below it.
    Write,
    /// Rename, move and delete it.
    Full,
    Owner,
}

impl Access {
    pub(super) fn of_level(level: u8) -> Self {
        match level {
            0 => Self::Read,
            1 => Self::Write,
            _ => Self::Full,
        }
    }
}

impl Call<'_> {
    /// The user who is logged in.
    pub(super) fn user(&self) -> Result<UserHandle, ApiError> {
        match self.caller {
            Caller::Session(session) => Ok(session.user),
            Caller::Link { .. } => Err(ErrorCode::Access.into()),
            Caller::Anonymous => Err(ErrorCode::Session.into()),
        }
    }

    /// On whose behalf a change below a folder of `owner` is: whoever comes through a link acts for the
    /// folder's owner.
    pub(super) fn actor(&self, owner: UserHandle) -> UserHandle {
        match self.caller {
            Caller::Session(session) => session.user,
            Caller::Link { .. } | Caller::Anonymous => owner,
        }
    }

    /// How far the caller may go with a node, if he may see it at all.
    pub(super) fn access(&self, node: &Node) -> Result<Option<Access>, ApiError> {
        match self.caller {
            Caller::Anonymous => Err(ErrorCode::Session.into()),
            Caller::Session(session) if session.user == node.owner => Ok(Some(Access::Owner)),
            Caller::Session(session) => {
                let level = shares::level(self.db, node.handle, session.user)?;
                Ok(level.map(Access::of_level))
            }
            Caller::Link { root, access, .. } => {
                let inside = nodes::ancestors(self.db, node.handle)?.contains(&root);
                Ok(inside.then_some(access))
            }
        }
    }

    /// A node with which the caller may go as far as `needed`.
    pub(super) fn node(&self, handle: NodeHandle, needed: Access) -> Result<Node, ApiError> {
        if matches!(self.caller, Caller::Anonymous) {
            return Err(ErrorCode::Session.into());
        }
        let node = nodes::get(self.db, handle)?.ok_or(ErrorCode::NotFound)?;
        match self.access(&node)? {
            Some(access) if access >= needed => Ok(node),
            _ => Err(ErrorCode::Access.into()),
        }
    }

    /// A node of the user who is logged in.
    pub(super) fn own_node(&self, handle: NodeHandle) -> Result<Node, ApiError> {
        self.user()?;
        self.node(handle, Access::Owner)
    }

    /// A node that the caller may read.
    pub(super) fn readable_node(&self, handle: NodeHandle) -> Result<Node, ApiError> {
        self.node(handle, Access::Read)
    }

    /// A node to be changed. The vault is for clients that mean it.
    pub(super) fn changeable_node(
        &self,
        handle: NodeHandle,
        needed: Access,
        vault: Option<Flag>,
    ) -> Result<Node, ApiError> {
        let node = self.node(handle, needed)?;
        if !is_set(vault) {
            let root = nodes::ancestors(self.db, handle)?.last().copied();
            let vault = nodes::root(self.db, node.owner, NodeType::Vault)?;
            if root == Some(vault.handle) {
                return Err(ErrorCode::Access.into());
            }
        }
        Ok(node)
    }
}
