//! Changes of single nodes: `a`, `m`, `d` (`protocol-api.md` 2.7, 6.2, 6.3).

use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::node::{DeleteNode, MoveNode, SetAttributes};
use supermega_protocol::packet::{ChangedAttributes, NewNodes, PacketBody, RemovedNode};
use supermega_protocol::tree::NodeType;
use supermega_protocol::wire::Done;
use supermega_protocol::{ErrorCode, Flag, Timestamp, is_set};

use super::call::{ApiError, Call, Handle};
use super::{element, link, share};
use crate::store::nodes::{self, Node};

impl Handle for SetAttributes {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let node = call.changeable_node(self.n, self.vw)?;
        if node.kind.is_root() {
            return Err(ErrorCode::Access.into());
        }
        element::check_attributes(&self.at)?;
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
        let node = call.changeable_node(self.n, self.vw)?;
        let target = call.changeable_node(self.t, self.vw)?;
        let Some(parent) = node.parent else { return Err(ErrorCode::Access.into()) };
        if target.kind == NodeType::File || is_file(call, parent)? {
            return Err(ErrorCode::Access.into());
        }
        if nodes::ancestors(call.db, target.handle)?.contains(&node.handle) {
            return Err(ErrorCode::Circular.into());
        }
        let gone = removed(node.handle, node.owner, Flag::SET, None);
        call.tell(node.owner, parent, true, |_| Ok(gone.clone()))?;
        nodes::set_parent(call.db, node.handle, target.handle)?;
        if let Some(keys) = &self.cr {
            share::store_keys(call, keys, |i| keys.1.get(i).copied())?;
        }
        let moved = nodes::subtree(call.db, node.handle)?;
        // Official clients take this second packet as part of the first one's tag, without one of its own.
        call.tell(node.owner, target.handle, false, |view| {
            let t = view.set(&moved)?;
            Ok(PacketBody::Nodes(NewNodes { t, u: None, ou: Some(node.owner) }))
        })?;
        Ok(Done)
    }
}

impl Handle for DeleteNode {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let node = call.changeable_node(self.n, self.vw)?;
        let Some(parent) = node.parent else { return Err(ErrorCode::Access.into()) };
        if is_set(self.v) && node.kind == NodeType::File {
            delete_version(call, node, parent)?;
        } else {
            delete_tree(call, &node, parent)?;
        }
        Ok(Done)
    }
}

/// Deletes one version; the next older one takes its place.
fn delete_version(call: &mut Call<'_>, node: Node, parent: NodeHandle) -> Result<(), ApiError> {
    let older = nodes::older_version(call.db, node.handle)?;
    let body = removed(node.handle, node.owner, None, Flag::SET);
    call.tell(node.owner, parent, true, |_| Ok(body.clone()))?;
    if let Some(mut older) = older {
        nodes::set_parent(call.db, older.handle, parent)?;
        older.parent = Some(parent);
        call.tell(node.owner, parent, true, |view| {
            let t = view.set(std::slice::from_ref(&older))?;
            Ok(PacketBody::Nodes(NewNodes { t, u: None, ou: Some(node.owner) }))
        })?;
    }
    call.unused.extend(nodes::remove(call.db, &[node])?);
    Ok(())
}

/// Deletes a node with all that is below it: what a folder holds, or the older versions of a file.
fn delete_tree(call: &mut Call<'_>, node: &Node, parent: NodeHandle) -> Result<(), ApiError> {
    let gone = nodes::subtree(call.db, node.handle)?;
    for node in &gone {
        link::remove(call, node)?;
        share::remove_export(call, node)?;
    }
    let body = removed(node.handle, node.owner, None, None);
    call.tell(node.owner, parent, true, |_| Ok(body.clone()))?;
    call.unused.extend(nodes::remove(call.db, &gone)?);
    Ok(())
}

fn is_file(call: &Call<'_>, node: NodeHandle) -> Result<bool, ApiError> {
    Ok(nodes::get(call.db, node)?.is_some_and(|node| node.kind == NodeType::File))
}

pub(super) fn removed(
    node: NodeHandle,
    by: UserHandle,
    moves: Option<Flag>,
    others_stay: Option<Flag>,
) -> PacketBody {
    PacketBody::Removed(RemovedNode { n: node, m: moves, v: others_stay, ou: Some(by) })
}
