//! Changes of single nodes: `a`, `m`, `d` (`protocol-api.md` 2.7, 6.2, 6.3).

use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::node::{DeleteNode, MoveNode, SetAttributes};
use supermega_protocol::packet::{ChangedAttributes, NewNodes, PacketBody, RemovedNode};
use supermega_protocol::tree::NodeType;
use supermega_protocol::wire::Done;
use supermega_protocol::{ErrorCode, Flag, Timestamp, is_set};

use super::access::Access;
use super::call::{ApiError, Call, Caller, Handle};
use super::view::View;
use super::{element, link, share};
use crate::store::events::Stream;
use crate::store::nodes::{self, Node};

impl Handle for SetAttributes {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let node = call.changeable_node(self.n, Access::Full, self.vw)?;
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
        let node = call.changeable_node(self.n, Access::Read, self.vw)?;
        let target = call.changeable_node(self.t, Access::Write, self.vw)?;
        let Some(parent) = node.parent else { return Err(ErrorCode::Access.into()) };
        // Whoever has a share may move what is in it, but not its root.
        let parent = call.node(parent, Access::Full).map_err(|_| ErrorCode::Access)?;
        let into_file = target.kind == NodeType::File || parent.kind == NodeType::File;
        if into_file || target.owner != node.owner {
            return Err(ErrorCode::Access.into());
        }
        if nodes::ancestors(call.db, target.handle)?.contains(&node.handle) {
            return Err(ErrorCode::Circular.into());
        }
        let before = call.readers(node.owner, parent.handle)?;
        nodes::set_parent(call.db, node.handle, target.handle)?;
        let after = call.readers(node.owner, target.handle)?;
        if let Some(keys) = &self.cr {
            share::store_node_keys(call, keys, |i| keys.node(i))?;
        }
        tell_move(call, &node, &before, &after)?;
        Ok(Done)
    }
}

/// For those who see both places a node moves; for the others it is gone or new.
fn tell_move(
    call: &mut Call<'_>,
    node: &Node,
    before: &[Stream],
    after: &[Stream],
) -> Result<(), ApiError> {
    let by = call.actor(node.owner);
    let moved = nodes::subtree(call.db, node.handle)?;
    for reader in before {
        if after.contains(reader) {
            call.send(*reader, true, removed(node.handle, by, Flag::SET, None))?;
        } else {
            share::lose_sight(call, node, *reader, by)?;
        }
    }
    for reader in after {
        let t = View::new(call.db, *reader)?.set(&moved)?;
        let body = PacketBody::Nodes(NewNodes { t, u: None, ou: Some(by) });
        // Official clients take this second packet as part of the first one's tag, without one of its
        // own.
        call.send(*reader, !before.contains(reader), body)?;
    }
    Ok(())
}

impl Handle for DeleteNode {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        if let Caller::Session(session) = call.caller {
            // Whoever deletes the root of a share leaves it.
            let node = call.readable_node(self.n)?;
            if node.owner != session.user && share::leave(call, &node, session.user)? {
                return Ok(Done);
            }
        }
        let node = call.changeable_node(self.n, Access::Full, self.vw)?;
        let Some(parent) = node.parent else { return Err(ErrorCode::Access.into()) };
        // The root of a folder link stays, whoever may write in it.
        call.node(parent, Access::Full).map_err(|_| ErrorCode::Access)?;
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
    let by = call.actor(node.owner);
    let body = removed(node.handle, by, None, Flag::SET);
    call.tell(node.owner, parent, true, |_| Ok(body.clone()))?;
    if let Some(mut older) = older {
        nodes::set_parent(call.db, older.handle, parent)?;
        older.parent = Some(parent);
        call.tell(node.owner, parent, true, |view| {
            let t = view.set(std::slice::from_ref(&older))?;
            Ok(PacketBody::Nodes(NewNodes { t, u: None, ou: Some(by) }))
        })?;
    }
    call.unused.extend(nodes::remove(call.db, &[node])?);
    Ok(())
}

/// Deletes a node with all that is below it: what a folder holds, or the older versions of a file.
pub(super) fn delete_tree(
    call: &mut Call<'_>,
    node: &Node,
    parent: NodeHandle,
) -> Result<(), ApiError> {
    let gone = nodes::subtree(call.db, node.handle)?;
    for node in &gone {
        link::remove(call, node)?;
        if node.kind == NodeType::Folder {
            share::end_all(call, node)?;
        }
    }
    let body = removed(node.handle, call.actor(node.owner), None, None);
    call.tell(node.owner, parent, true, |_| Ok(body.clone()))?;
    call.unused.extend(nodes::remove(call.db, &gone)?);
    Ok(())
}

pub(super) fn removed(
    node: NodeHandle,
    by: UserHandle,
    moves: Option<Flag>,
    others_stay: Option<Flag>,
) -> PacketBody {
    PacketBody::Removed(RemovedNode { n: node, m: moves, v: others_stay, ou: Some(by) })
}
