//! Public links: `l` (`protocol-api.md` 2.8).

use supermega_protocol::link::{LinkReply, SetLink};
use supermega_protocol::packet::{ChangedLink, PacketBody};
use supermega_protocol::tree::NodeType;
use supermega_protocol::{ErrorCode, Flag, Timestamp, is_set};

use super::call::{ApiError, Call, Handle};
use crate::store::events::Stream;
use crate::store::links;

impl Handle for SetLink {
    fn handle(self, call: &mut Call<'_>) -> Result<LinkReply, ApiError> {
        let node = call.own_node(self.n)?;
        if is_set(self.w) || self.ets.is_some() || node.kind.is_root() {
            return Err(ErrorCode::Access.into());
        }
        let known = links::of_node(call.db, node.handle)?;
        let body = |link: &links::Link| ChangedLink {
            h: link.node,
            ph: link.handle,
            n: None,
            u: None,
            d: None,
            down: None,
            ts: None,
            ets: None,
            w: None,
        };
        if is_set(self.d) {
            let link = known.ok_or(ErrorCode::NotFound)?;
            links::remove(call.db, node.handle)?;
            let packet = PacketBody::Link(ChangedLink { d: Flag::SET, ..body(&link) });
            call.send(Stream::User(node.owner), true, packet)?;
            return Ok(LinkReply::Removed);
        }
        if let Some(link) = known {
            return Ok(LinkReply::Made(link.handle));
        }
        if node.kind != NodeType::File && !links::is_exported(call.db, node.handle)? {
            return Err(ErrorCode::Access.into());
        }
        let link = links::insert(call.db, node.handle)?;
        let ts = Some(Timestamp(link.ts));
        let packet = PacketBody::Link(ChangedLink { n: Flag::SET, ts, ..body(&link) });
        call.send(Stream::User(node.owner), true, packet)?;
        Ok(LinkReply::Made(link.handle))
    }
}
