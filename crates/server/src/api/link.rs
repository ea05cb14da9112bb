//! Public links: `l` (`protocol-api.md` 2.8).

use supermega_protocol::link::{LinkReply, SetLink};
use supermega_protocol::packet::{ChangedLink, PacketBody};
use supermega_protocol::tree::NodeType;
use supermega_protocol::{ErrorCode, Flag, Timestamp, is_set};

use super::call::{ApiError, Call, Handle};
use crate::store::events::Stream;
use crate::store::links::{self, Link};
use crate::store::nodes::Node;

impl Handle for SetLink {
    fn handle(self, call: &mut Call<'_>) -> Result<LinkReply, ApiError> {
        let node = call.own_node(self.n)?;
        if is_set(self.d) {
            let removed = remove(call, &node)?;
            return if removed { Ok(LinkReply::Removed) } else { Err(ErrorCode::NotFound.into()) };
        }
        // Links that end, and links that let others write, are for paying accounts and not for this slice.
        if is_set(self.w) || self.ets.is_some() || node.kind.is_root() {
            return Err(ErrorCode::Access.into());
        }
        if let Some(link) = links::of_node(call.db, node.handle)? {
            return Ok(LinkReply::Made(link.handle));
        }
        if node.kind != NodeType::File && !links::is_exported(call.db, node.handle)? {
            return Err(ErrorCode::Access.into());
        }
        let link = links::insert(call.db, node.handle)?;
        let ts = Some(Timestamp(link.ts));
        let packet = PacketBody::Link(ChangedLink { n: Flag::SET, ts, ..changed(&link) });
        call.send(Stream::User(node.owner), true, packet)?;
        Ok(LinkReply::Made(link.handle))
    }
}

/// Removes the link of a node, if it has one.
pub(super) fn remove(call: &mut Call<'_>, node: &Node) -> Result<bool, ApiError> {
    let Some(link) = links::of_node(call.db, node.handle)? else { return Ok(false) };
    links::remove(call.db, node.handle)?;
    let packet = PacketBody::Link(ChangedLink { d: Flag::SET, ..changed(&link) });
    call.send(Stream::User(node.owner), true, packet)?;
    Ok(true)
}

fn changed(link: &Link) -> ChangedLink {
    ChangedLink {
        h: link.node,
        ph: link.handle,
        n: None,
        u: None,
        d: None,
        down: None,
        ts: None,
        ets: None,
        w: None,
    }
}
