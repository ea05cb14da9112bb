//! Public links: `l`, `pli` (`protocol-api.md` 2.8).

use rusqlite::Connection;
use subtle::ConstantTimeEq;
use supermega_encoding::{NodeHandle, PublicHandle};
use supermega_protocol::link::{FetchLink, LinkContent, LinkReply, SetLink};
use supermega_protocol::packet::{ActionPacket, ChangedLink, PacketBody};
use supermega_protocol::tree::{NodeKeys, NodeType};
use supermega_protocol::{ErrorCode, Failure, Flag, Timestamp, Verbatim, is_set};

use super::access::Access;
use super::call::{ApiError, Call, Caller, Handle};
use crate::error::ServerError;
use crate::state::State;
use crate::store::events::{self, Stream};
use crate::store::links::{self, Link};
use crate::store::nodes::{self, Node};
use crate::store::{now, share_keys};

/// Beside -16: the link was taken down (`protocol-api.md` 1.4).
const DOWN: i64 = 1;

/// The link of a handle, unless it has ended or was taken down.
pub(super) fn open(
    db: &Connection,
    handle: PublicHandle,
) -> rusqlite::Result<Result<Link, Failure>> {
    Ok(match links::get(db, handle)? {
        None => Err(ErrorCode::NotFound.into()),
        Some(link) if link.down => {
            Err(Failure { link: Some(DOWN), ..Failure::from(ErrorCode::Blocked) })
        }
        Some(link) => Ok(link),
    })
}

/// The node behind a public link.
pub(super) fn node(call: &Call<'_>, handle: PublicHandle) -> Result<Node, ApiError> {
    let link = open(call.db, handle)?.map_err(ApiError::Refused)?;
    nodes::get(call.db, link.node)?.ok_or_else(|| ErrorCode::NotFound.into())
}

/// A node that a folder link shows to everybody: whoever has seen it there may copy it.
pub(super) fn shown(db: &Connection, handle: NodeHandle) -> rusqlite::Result<Option<Node>> {
    for above in nodes::ancestors(db, handle)? {
        let Some(link) = links::of_node(db, above)? else { continue };
        if open(db, link.handle)?.is_ok() && links::export_level(db, above)?.is_some() {
            return nodes::get(db, handle);
        }
    }
    Ok(None)
}

/// Whoever comes through a folder link: `text` is its handle, with an authorisation to write behind it or
/// without.
pub(super) fn caller(db: &Connection, text: &str) -> rusqlite::Result<Result<Caller, Failure>> {
    let Some((handle, auth)) = text.split_at_checked(PublicHandle::TEXT_LEN) else {
        return Ok(Err(ErrorCode::NotFound.into()));
    };
    let Ok(handle) = handle.parse() else { return Ok(Err(ErrorCode::NotFound.into())) };
    let link = match open(db, handle)? {
        Ok(link) => link,
        Err(failure) => return Ok(Err(failure)),
    };
    let Some(level) = links::export_level(db, link.node)? else {
        // Some clients name a file's link here and in the command alike: that opens nothing by itself.
        let node = nodes::get(db, link.node)?;
        let is_file = node.is_some_and(|node| node.kind == NodeType::File);
        return Ok(if is_file { Ok(Caller::Anonymous) } else { Err(ErrorCode::NotFound.into()) });
    };
    let access = if auth.is_empty() {
        Access::Read
    } else if link.auth.is_some_and(|known| known.as_bytes().ct_eq(auth.as_bytes()).into()) {
        Access::of_level(level)
    } else {
        return Ok(Err(ErrorCode::Access.into()));
    };
    Ok(Ok(Caller::Link { handle, root: link.node, access }))
}

impl Handle for SetLink {
    fn handle(self, call: &mut Call<'_>) -> Result<LinkReply, ApiError> {
        let node = call.own_node(self.n)?;
        if is_set(self.d) {
            let removed = remove(call, &node)?;
            return if removed { Ok(LinkReply::Removed) } else { Err(ErrorCode::NotFound.into()) };
        }
        let export = links::export_level(call.db, node.handle)?;
        if node.kind.is_root() || (node.kind != NodeType::File && export.is_none()) {
            return Err(ErrorCode::Access.into());
        }
        let writable = is_set(self.w);
        if writable && export.is_none_or(|level| level == 0) {
            return Err(ErrorCode::Access.into());
        }
        let expires = self.ets.map(|ets| ets.0).filter(|ets| *ets != 0);
        if expires.is_some_and(|expires| expires <= now()) {
            return Err(ErrorCode::Arguments.into());
        }
        let known = links::of_node(call.db, node.handle)?;
        let is_new = known.is_none();
        let mut link = match known {
            Some(link) if link.down => return Err(ErrorCode::Blocked.into()),
            Some(link) => link,
            None => links::insert(call.db, node.handle)?,
        };
        let mut is_changed = is_new;
        if link.expires != expires {
            links::set_expiry(call.db, link.handle, expires)?;
            (link.expires, is_changed) = (expires, true);
        }
        if writable && link.auth.is_none() {
            link.auth = Some(links::authorise(call.db, link.handle)?);
            is_changed = true;
        }
        if is_changed {
            let marks = if is_new { (Flag::SET, None) } else { (None, Flag::SET) };
            let packet = ChangedLink { n: marks.0, u: marks.1, ..changed(&link) };
            call.send(Stream::User(node.owner), true, PacketBody::Link(packet))?;
        }
        Ok(match link.auth {
            Some(auth) if writable => LinkReply::Writable(link.handle, auth),
            _ => LinkReply::Made(link.handle),
        })
    }
}

/// Removes the link of a node, if it has one.
pub(super) fn remove(call: &mut Call<'_>, node: &Node) -> Result<bool, ApiError> {
    let Some(link) = links::of_node(call.db, node.handle)? else { return Ok(false) };
    links::remove(call.db, node.handle)?;
    let packet = ChangedLink { d: Flag::SET, ts: None, ets: None, w: None, ..changed(&link) };
    call.send(Stream::User(node.owner), true, PacketBody::Link(packet))?;
    // Whoever watches through it must learn that it is gone.
    call.announced = true;
    Ok(true)
}

/// A packet about a link, of which it is not said yet what happened to it.
fn changed(link: &Link) -> ChangedLink {
    ChangedLink {
        h: link.node,
        ph: link.handle,
        n: None,
        u: None,
        d: None,
        down: None,
        ts: Some(Timestamp(link.ts)),
        ets: link.expires.map(Timestamp),
        w: link.auth.clone(),
    }
}

/// Takes a link down, or lets it up again, and tells its owner; says whether there is one.
pub(crate) fn take_down(
    state: &State,
    handle: PublicHandle,
    down: bool,
) -> Result<bool, ServerError> {
    let found = state.store.write(|tx| {
        let Some(link) = links::get(tx, handle)? else { return Ok::<_, ServerError>(false) };
        links::set_down(tx, handle, down)?;
        let Some(node) = nodes::get(tx, link.node)? else { return Ok(false) };
        let packet = ActionPacket {
            originator: None,
            tag: Some(events::next_tag(tx)?),
            body: PacketBody::Link(ChangedLink { down: Some(Flag(down)), ..changed(&link) }),
        };
        let Ok(packet) = packet.encode() else { return Ok(false) };
        events::append(tx, Stream::User(node.owner), &packet, state.config.packets_kept)?;
        Ok(true)
    })?;
    state.announce();
    Ok(found)
}

impl Handle for FetchLink {
    fn handle(self, call: &mut Call<'_>) -> Result<LinkContent, ApiError> {
        let root = node(call, self.ph)?;
        if links::export_level(call.db, root.handle)?.is_none() {
            return Err(ErrorCode::NotFound.into());
        }
        let keys = share_keys::of_node(call.db, root.handle)?;
        let key = keys.into_iter().find(|(share, _)| *share == root.handle);
        let key = key.map(|(share, key)| format!("{share}:{key}"));
        Ok(LinkContent {
            attrs: Verbatim(root.a),
            ph: self.ph,
            u: root.owner,
            s: nodes::usage(call.db, root.handle)?.counts(),
            k: NodeKeys(key.ok_or(ErrorCode::NotFound)?),
        })
    }
}
