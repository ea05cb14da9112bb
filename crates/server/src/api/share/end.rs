//! Shares come to an end: their owner ends them, the other one leaves, or the folder goes
//! (`protocol-api.md` 2.9, 5.4).

use std::collections::HashMap;

use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::contact::UserName;
use supermega_protocol::packet::{ChangedShare, NewNodes, PacketBody};
use supermega_protocol::share::EXPORT;
use supermega_protocol::{ErrorCode, Flag};

use super::{changed, pending};
use crate::api::call::{ApiError, Call};
use crate::api::contact;
use crate::api::node::removed;
use crate::api::view::View;
use crate::store::events::Stream;
use crate::store::nodes::{self, Node};
use crate::store::shares::{self, Share};
use crate::store::users::User;
use crate::store::{contacts, links, now};

/// Ends the share with a user, or the one that waits for him.
pub(super) fn remove(
    call: &mut Call<'_>,
    node: &Node,
    name: &UserName,
) -> Result<Option<User>, ApiError> {
    let user = contact::find(call, name).ok();
    if let Some(user) = user {
        if leave(call, node, user.handle)? {
            return Ok(Some(user));
        }
        if let Some(address) = &user.email
            && let Some(request) = contacts::request_to(call.db, node.owner, address)?
            && pending::remove(call, node, &request)?
        {
            return Ok(None);
        }
    } else if let UserName::Address(address) = name
        && let Some(request) = contacts::request_to(call.db, node.owner, address)?
        && pending::remove(call, node, &request)?
    {
        return Ok(None);
    }
    Err(ErrorCode::NotFound.into())
}

/// Ends the share of a folder with a user, and says whether there was one.
pub(in crate::api) fn leave(
    call: &mut Call<'_>,
    node: &Node,
    user: UserHandle,
) -> Result<bool, ApiError> {
    if !shares::remove(call.db, node.handle, user)? {
        return Ok(false);
    }
    let last = shares::forget_unshared(call.db, node.handle)?;
    let by = call.actor(node.owner);
    let packet = ChangedShare { u: Some(user.to_string()), ..changed(node, now(), by) };
    let for_owner = ChangedShare { okd: last.then_some(Flag(true)), ..packet.clone() };
    call.send(Stream::User(node.owner), true, PacketBody::Share(for_owner))?;
    call.send(Stream::User(user), true, PacketBody::Share(packet))?;
    if shares::level(call.db, node.handle, user)?.is_none() {
        lose_sight(call, node, Stream::User(user), by)?;
    }
    Ok(true)
}

/// Takes a node that is out of reach now from a reader's tree. What is shared with him further inside
/// comes back on its own.
pub(in crate::api) fn lose_sight(
    call: &mut Call<'_>,
    node: &Node,
    reader: Stream,
    by: UserHandle,
) -> Result<(), ApiError> {
    call.send(reader, true, removed(node.handle, by, None, None))?;
    let Stream::User(user) = reader else { return Ok(()) };
    let incoming: HashMap<NodeHandle, Share> = shares::incoming(call.db, user)?;
    for root in incoming.keys() {
        let above = nodes::ancestors(call.db, *root)?;
        let outermost = !above[1..].iter().any(|above| incoming.contains_key(above));
        if outermost && above.contains(&node.handle) {
            let t = View::new(call.db, reader)?.set(&nodes::subtree(call.db, *root)?)?;
            let body = PacketBody::Nodes(NewNodes { t, u: None, ou: Some(by) });
            call.send(reader, false, body)?;
        }
    }
    Ok(())
}

/// Ends the export of a folder, if it is exported.
pub(super) fn remove_export(call: &mut Call<'_>, node: &Node) -> Result<bool, ApiError> {
    if !links::remove_export(call.db, node.handle)? {
        return Ok(false);
    }
    let last = shares::forget_unshared(call.db, node.handle)?;
    let packet = ChangedShare {
        u: Some(EXPORT.into()),
        okd: last.then_some(Flag(true)),
        ..changed(node, now(), call.actor(node.owner))
    };
    call.send(Stream::User(node.owner), true, PacketBody::Share(packet))?;
    Ok(true)
}

/// Ends all that is shared of a folder, before it is deleted.
pub(in crate::api) fn end_all(call: &mut Call<'_>, node: &Node) -> Result<(), ApiError> {
    remove_export(call, node)?;
    for share in shares::of_node(call.db, node.handle)? {
        leave(call, node, share.user)?;
    }
    for waiting in shares::pending_of(call.db, node.handle)? {
        if let Some(request) = contacts::request(call.db, waiting.request)? {
            pending::remove(call, node, &request)?;
        }
    }
    Ok(())
}

/// Ends all shares between two users, who are no contacts any more.
pub(in crate::api) fn end_between(
    call: &mut Call<'_>,
    one: UserHandle,
    other: UserHandle,
) -> Result<(), ApiError> {
    for (owner, user) in [(one, other), (other, one)] {
        for share in shares::outgoing(call.db, owner)? {
            if share.user == user
                && let Some(node) = nodes::get(call.db, share.node)?
            {
                leave(call, &node, user)?;
            }
        }
    }
    Ok(())
}
