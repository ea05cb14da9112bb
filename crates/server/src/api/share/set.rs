//! Adding and changing shares: `s2` (`protocol-api.md` 2.9).

use supermega_encoding::{UserHandle, base64};
use supermega_protocol::contact::UserName;
use supermega_protocol::packet::{ChangedShare, NewNodes, PacketBody, PendingKeys};
use supermega_protocol::share::{EXPORT, SetShare, SetShareReply, ShareTarget, SharedUser};
use supermega_protocol::tree::NodeType;
use supermega_protocol::{ErrorCode, Verbatim};

use super::{changed, end, pending, store_node_keys};
use crate::api::call::{ApiError, Call, Handle};
use crate::api::contact;
use crate::api::view::View;
use crate::store::events::Stream;
use crate::store::links::{self, Export};
use crate::store::nodes::{self, Node};
use crate::store::shares::{self, OwnerKey, Share};
use crate::store::users::User;
use crate::store::{now, waiting_keys};

impl Handle for SetShare {
    fn handle(self, call: &mut Call<'_>) -> Result<SetShareReply, ApiError> {
        let node = call.readable_node(self.n)?;
        let user = call.user()?;
        if node.owner != user {
            return give_up(call, &node, user, &self.s);
        }
        if node.kind != NodeType::Folder {
            return Err(ErrorCode::Access.into());
        }
        check(&self)?;
        if let Some(ok) = other_key(call, &node, self.ok.as_ref())? {
            let r = self.s.iter().map(|_| ErrorCode::Key).collect();
            return Ok(SetShareReply { r, u: Vec::new(), ok: Some(ok) });
        }
        if self.s.iter().any(|target| target.level().is_some()) {
            let text = |key: &Option<Verbatim>| key.as_ref().map(|key| key.0.clone());
            let (ok, ha) = (text(&self.ok), text(&self.ha));
            shares::set_owner_key(call.db, &OwnerKey { node: node.handle, ok, ha })?;
        }
        let mut reply = SetShareReply::default();
        // Keys first: whoever gets the folder gets it with them.
        if let Some(keys) = &self.cr {
            store_node_keys(call, keys, |i| keys.node(i))?;
        }
        for target in &self.s {
            let outcome = set(call, &node, target, &self);
            reply.r.push(match outcome {
                Ok(user) => {
                    reply.u.extend(user.map(|user| SharedUser { u: user.handle, m: user.email }));
                    ErrorCode::from_number(0)
                }
                Err(ApiError::Refused(failure)) => failure.code,
                Err(broken) => return Err(broken),
            });
        }
        // With nothing done, the last reason is the whole answer's.
        match reply.r.last() {
            Some(last) if reply.r.iter().all(|code| code.number() != 0) => Err((*last).into()),
            _ => Ok(reply),
        }
    }
}

fn check(share: &SetShare) -> Result<(), ErrorCode> {
    let well_formed = |key: &Option<Verbatim>| {
        key.as_ref().is_none_or(|key| base64::decode(&key.0).is_ok_and(|key| key.len() == 16))
    };
    let wrapped = |target: &ShareTarget| {
        target
            .k
            .as_ref()
            .is_none_or(|key| base64::decode(&key.0).is_ok_and(|key| key.len() <= 1024))
    };
    let good = !share.s.is_empty()
        && well_formed(&share.ok)
        && well_formed(&share.ha)
        && share.s.iter().all(wrapped);
    if good { Ok(()) } else { Err(ErrorCode::Arguments) }
}

/// The key that the folder is shared with already, if another one is offered now. Zeros are no key.
fn other_key(
    call: &Call<'_>,
    node: &Node,
    offered: Option<&Verbatim>,
) -> Result<Option<Verbatim>, ApiError> {
    let is_key = |key: &Verbatim| key.decode().is_ok_and(|key| key.iter().any(|byte| *byte != 0));
    let known = shares::owner_key(call.db, node.handle)?.and_then(|key| key.ok).map(Verbatim);
    let offered = offered.filter(|key| is_key(key));
    Ok(known.filter(|known| is_key(known) && offered.is_some_and(|offered| offered != known)))
}

/// Whoever a folder is shared with may end that for himself, and nothing else.
fn give_up(
    call: &mut Call<'_>,
    node: &Node,
    user: UserHandle,
    targets: &[ShareTarget],
) -> Result<SetShareReply, ApiError> {
    let own = user.to_string();
    let [ShareTarget { u, r, .. }] = targets else { return Err(ErrorCode::Access.into()) };
    if *u != own || r.is_some_and(|level| level.0.is_some()) {
        return Err(ErrorCode::Access.into());
    }
    if !end::leave(call, node, user)? {
        return Err(ErrorCode::Access.into());
    }
    Ok(SetShareReply { r: vec![ErrorCode::from_number(0)], ..SetShareReply::default() })
}

/// Does what is asked for one target; gives the user behind it.
fn set(
    call: &mut Call<'_>,
    node: &Node,
    target: &ShareTarget,
    request: &SetShare,
) -> Result<Option<User>, ApiError> {
    if target.u == EXPORT {
        match target.level() {
            Some(level) => set_export(call, node, level, request)?,
            None if !end::remove_export(call, node)? => return Err(ErrorCode::NotFound.into()),
            None => {}
        }
        return Ok(None);
    }
    let name: UserName = target.u.parse().map_err(|_| ErrorCode::Arguments)?;
    let Some(level) = target.level() else {
        return end::remove(call, node, &name);
    };
    let Some(user) = contact::contact_of(call, node.owner, &name)? else {
        pending::add(call, node, &name, level, request, target)?;
        return Ok(None);
    };
    let key = target.k.as_ref().map(|key| key.0.clone());
    let new = shares::new(node.handle, user.handle, level, key);
    start(call, node, &new, Some(request))?;
    Ok(Some(user))
}

fn set_export(
    call: &mut Call<'_>,
    node: &Node,
    level: u8,
    request: &SetShare,
) -> Result<(), ApiError> {
    let ts = now();
    links::set_export(call.db, &Export { node: node.handle, level, ts })?;
    let packet = ChangedShare {
        u: Some(EXPORT.into()),
        r: Some(level),
        ok: request.ok.clone(),
        ha: request.ha.clone(),
        ..changed(node, ts, node.owner)
    };
    call.send(Stream::User(node.owner), true, PacketBody::Share(packet))
}

/// Adds a share with a contact, or changes its level, and shows it to both.
pub(super) fn start(
    call: &mut Call<'_>,
    node: &Node,
    share: &Share,
    request: Option<&SetShare>,
) -> Result<(), ApiError> {
    let known = shares::get(call.db, node.handle, share.user)?;
    shares::set(call.db, share)?;
    let by = call.user()?;
    let base = ChangedShare {
        u: Some(share.user.to_string()),
        r: Some(share.level),
        ..changed(node, share.ts, by)
    };
    let for_owner = ChangedShare {
        ok: request.and_then(|request| request.ok.clone()),
        ha: request.and_then(|request| request.ha.clone()),
        ..base.clone()
    };
    call.send(Stream::User(node.owner), true, PacketBody::Share(for_owner))?;
    let reader = Stream::User(share.user);
    let for_reader = ChangedShare { k: share.key.clone().map(Verbatim), ..base };
    call.send(reader, true, PacketBody::Share(for_reader))?;
    if known.is_some() {
        return Ok(());
    }
    let t = View::new(call.db, reader)?.set(&nodes::subtree(call.db, node.handle)?)?;
    let nodes = PacketBody::Nodes(NewNodes { t, u: None, ou: Some(by) });
    call.send(reader, false, nodes)?;
    if !waiting_keys::of_user(call.db, share.user)?.is_empty() {
        call.send(reader, false, PacketBody::PendingKeys(PendingKeys {}))?;
    }
    Ok(())
}
