//! Shares with those who are no contacts yet: they wait for an answer to a contact request
//! (`protocol-api.md` 2.9, 6.5).

use supermega_encoding::UserHandle;
use supermega_protocol::contact::UserName;
use supermega_protocol::packet::{ChangedShare, PacketBody};
use supermega_protocol::share::{SetShare, ShareTarget};
use supermega_protocol::{ErrorCode, Flag};

use super::{changed, set};
use crate::api::call::{ApiError, Call};
use crate::api::contact;
use crate::store::contacts::{self, ContactRequest};
use crate::store::events::Stream;
use crate::store::nodes::{self, Node};
use crate::store::shares::{self, PendingShare};
use crate::store::{now, users};

/// Lets a share wait; asks the other one to become a contact, unless that is asked already.
pub(super) fn add(
    call: &mut Call<'_>,
    node: &Node,
    name: &UserName,
    level: u8,
    request: &SetShare,
    target: &ShareTarget,
) -> Result<(), ApiError> {
    let own = users::by_handle(call.db, node.owner)?.ok_or(ErrorCode::Session)?;
    let address = match name {
        UserName::Address(address) => address.clone(),
        UserName::Handle(_) => {
            let user = contact::find(call, name)?;
            user.email.ok_or(ErrorCode::NotFound)?
        }
    };
    let asked = contacts::request_to(call.db, own.handle, &address)?;
    let asked = match asked {
        Some(asked) => asked,
        None => contact::invite(call, &own, &address, request.msg.as_deref(), false)?,
    };
    let share = PendingShare {
        node: node.handle,
        request: asked.handle,
        level,
        key: target.k.as_ref().map(|key| key.0.clone()),
        ts: now(),
    };
    shares::set_pending(call.db, &share)?;
    let packet = ChangedShare {
        p: Some(asked.handle.to_string()),
        r: Some(level),
        ok: request.ok.clone(),
        ha: request.ha.clone(),
        ..changed(node, share.ts, own.handle)
    };
    call.send(Stream::User(own.handle), true, PacketBody::Share(packet))
}

/// Makes real shares of those that waited for a request, which `user` accepts.
pub(in crate::api) fn start_pending(
    call: &mut Call<'_>,
    request: &ContactRequest,
    user: UserHandle,
) -> Result<(), ApiError> {
    for waiting in shares::pending_on(call.db, request.handle)? {
        let Some(node) = nodes::get(call.db, waiting.node)? else { continue };
        let packet = ChangedShare {
            u: Some(user.to_string()),
            p: Some(request.handle.to_string()),
            op: Flag::SET,
            r: Some(waiting.level),
            ..changed(&node, waiting.ts, user)
        };
        call.send(Stream::User(node.owner), true, PacketBody::Share(packet))?;
        let share = shares::new(node.handle, user, waiting.level, waiting.key);
        set::start(call, &node, &share, None)?;
    }
    Ok(())
}

/// Ends the shares that wait for a request: it will not be accepted.
pub(in crate::api) fn drop_pending(
    call: &mut Call<'_>,
    request: &ContactRequest,
) -> Result<(), ApiError> {
    for waiting in shares::pending_on(call.db, request.handle)? {
        if let Some(node) = nodes::get(call.db, waiting.node)? {
            remove(call, &node, request)?;
        }
    }
    Ok(())
}

/// Ends a share that waits for a request, and says whether there was one.
pub(super) fn remove(
    call: &mut Call<'_>,
    node: &Node,
    request: &ContactRequest,
) -> Result<bool, ApiError> {
    if !shares::remove_pending(call.db, node.handle, request.handle)? {
        return Ok(false);
    }
    let last = shares::forget_unshared(call.db, node.handle)?;
    let packet = ChangedShare {
        p: Some(request.handle.to_string()),
        okd: last.then_some(Flag(true)),
        ..changed(node, now(), call.user()?)
    };
    call.send(Stream::User(node.owner), true, PacketBody::Share(packet))?;
    Ok(true)
}
