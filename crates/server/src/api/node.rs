//! Changes of single nodes: `a`, `m`, `d` (`protocol-api.md` 2.7, 6.2, 6.3).

use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::node::{DeleteNode, MoveNode, SetAttributes};
use supermega_protocol::packet::{ChangedAttributes, NewNodes, NodeSet, PacketBody, RemovedNode};
use supermega_protocol::tree::{NodeList, NodeType};
use supermega_protocol::wire::Done;
use supermega_protocol::{ErrorCode, Flag, Timestamp, is_set};

use super::call::{ApiError, Call, Handle};
use super::{put, share, view};
use crate::store::nodes::{self, Node};

impl Handle for SetAttributes {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let node = call.own_node(self.n)?;
        if node.kind.is_root() {
            return Err(ErrorCode::Access.into());
        }
        if !put::fit(&self.at) {
            return Err(ErrorCode::Arguments.into());
        }
        // `key` is not taken: one client sends but half of a file's (`protocol-api.md` 2.7).
        nodes::set_attributes(call.db, node.handle, &self.at.0)?;
        let body = PacketBody::Attributes(ChangedAttributes {
            n: node.handle,
            u: Some(node.owner),
            at: self.at,
            ts: Some(Timestamp(node.ts)),
            cr: None,
        });
        call.tell(node.owner, node.handle, true, |_| Ok(body.clone()))?;
        Ok(Done)
    }
}

impl Handle for MoveNode {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let node = call.own_node(self.n)?;
        let target = call.own_node(self.t)?;
        if node.kind.is_root() || target.kind == NodeType::File || is_old_version(call, &node)? {
            return Err(ErrorCode::Access.into());
        }
        if nodes::ancestors(call.db, target.handle)?.contains(&node.handle) {
            return Err(ErrorCode::Circular.into());
        }
        let gone = removed(node.handle, node.owner, true);
        call.tell(node.owner, node.handle, true, |_| Ok(gone.clone()))?;
        nodes::set_parent(call.db, node.handle, target.handle)?;
        if let Some(keys) = &self.cr {
            share::store_keys(call, keys, |i| keys.1.get(i).copied())?;
        }
        let (db, moved) = (call.db, nodes::subtree(call.db, node.handle)?);
        let is_version = view::versions(&moved);
        // Official clients take this second packet as part of the first one's tag, without one of its own.
        call.tell(node.owner, node.handle, false, |reader| {
            let mut t = NodeSet::default();
            for node in &moved {
                let list = if is_version(node) { &mut t.f2 } else { &mut t.f };
                list.nodes.push(view::node(db, reader, node)?);
            }
            Ok(PacketBody::Nodes(NewNodes { t, u: None, ou: Some(node.owner) }))
        })?;
        Ok(Done)
    }
}

impl Handle for DeleteNode {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let node = call.own_node(self.n)?;
        if node.kind.is_root() {
            return Err(ErrorCode::Access.into());
        }
        let body = removed(node.handle, node.owner, false);
        call.tell(node.owner, node.handle, true, |_| Ok(body.clone()))?;
        let gone = if is_set(self.v) {
            if let (Some(older), Some(parent)) =
                (nodes::older_version(call.db, node.handle)?, node.parent)
            {
                nodes::set_parent(call.db, older.handle, parent)?;
                promote(call, &older, parent)?;
            }
            vec![node]
        } else {
            nodes::subtree(call.db, node.handle)?
        };
        let unused = nodes::remove(call.db, &gone)?;
        call.unused.extend(unused);
        Ok(Done)
    }
}

/// The next older version takes the place of the one that goes.
fn promote(call: &mut Call<'_>, older: &Node, parent: NodeHandle) -> Result<(), ApiError> {
    let db = call.db;
    let promoted = Node { parent: Some(parent), ..older.clone() };
    call.tell(older.owner, older.handle, true, |reader| {
        let node = view::node(db, reader, &promoted)?;
        let t = NodeSet { f: NodeList::from(vec![node]), ..NodeSet::default() };
        Ok(PacketBody::Nodes(NewNodes { t, u: None, ou: Some(promoted.owner) }))
    })
}

fn is_old_version(call: &Call<'_>, node: &Node) -> Result<bool, ApiError> {
    let Some(parent) = node.parent else { return Ok(false) };
    Ok(nodes::get(call.db, parent)?.is_some_and(|parent| parent.kind == NodeType::File))
}

pub(super) fn removed(node: NodeHandle, by: UserHandle, moved: bool) -> PacketBody {
    let m = if moved { Flag::SET } else { None };
    PacketBody::Removed(RemovedNode { n: node, m, v: None, ou: Some(by) })
}
