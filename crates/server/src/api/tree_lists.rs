//! What comes with the nodes in `f`: shares, links, contacts (`protocol-api.md` 2.5).

use std::collections::BTreeMap;

use rusqlite::Connection;
use supermega_encoding::UserHandle;
use supermega_protocol::contact::{IncomingRequest, OutgoingRequest};
use supermega_protocol::share::EXPORT;
use supermega_protocol::tree::{OutgoingShare, OwnerKey, PendingShare, PublicLink, Tree, User};
use supermega_protocol::{Flag, Timestamp, Verbatim};

use super::contact;
use crate::store::{contacts, links, nodes, shares, users};

/// Sixteen zero bytes: the key is kept elsewhere (`protocol-auth.md` 4.4).
const NO_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// All that a user gets beside nodes.
pub(super) fn of_user(db: &Connection, user: UserHandle) -> rusqlite::Result<Tree> {
    let own = users::by_handle(db, user)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let keys = owner_keys(db, user)?;
    Ok(Tree {
        ok0: Some(keys.clone()),
        ok: Some(keys),
        s: Some(outgoing(db, user)?),
        ps: Some(pending(db, user)?),
        u: Some(known_users(db, &own)?),
        ph: Some(public_links(db, user)?),
        ipc: Some(received(db, own.email.as_deref())?),
        opc: Some(sent(db, &own)?),
        ..Tree::default()
    })
}

fn owner_keys(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<OwnerKey>> {
    let key = |key: Option<String>| Verbatim(key.unwrap_or_else(|| NO_KEY.into()));
    let keys = shares::owner_keys(db, user)?.into_iter();
    Ok(keys.map(|k| OwnerKey { h: k.node, ha: Some(key(k.ha)), k: key(k.ok) }).collect())
}

fn outgoing(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<OutgoingShare>> {
    let exports = links::exports(db, user)?.into_iter().map(|export| OutgoingShare {
        h: export.node,
        u: EXPORT.into(),
        r: export.level,
        ts: Some(Timestamp(export.ts)),
    });
    let shares = shares::outgoing(db, user)?.into_iter().map(|share| OutgoingShare {
        h: share.node,
        u: share.user.to_string(),
        r: share.level,
        ts: Some(Timestamp(share.ts)),
    });
    Ok(exports.chain(shares).collect())
}

fn pending(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<PendingShare>> {
    let pending = shares::outgoing_pending(db, user)?.into_iter().map(|share| PendingShare {
        h: share.node,
        p: share.request,
        r: share.level,
        ts: Some(Timestamp(share.ts)),
    });
    Ok(pending.collect())
}

fn public_links(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<PublicLink>> {
    let links = links::of_user(db, user)?.into_iter().map(|link| PublicLink {
        h: link.node,
        ph: link.handle,
        ts: Some(Timestamp(link.ts)),
        ets: link.expires.map(Timestamp),
        w: link.auth,
        down: link.down.then_some(Flag(true)),
    });
    Ok(links.collect())
}

/// Oneself, contacts, and those with whom there are shares without being contacts.
fn known_users(db: &Connection, own: &users::User) -> rusqlite::Result<Vec<User>> {
    let mut known = BTreeMap::new();
    for share in shares::incoming(db, own.handle)?.into_values() {
        if let Some(node) = nodes::get(db, share.node)? {
            known.insert(*node.owner.as_bytes(), (node.owner, 0, share.ts));
        }
    }
    for share in shares::outgoing(db, own.handle)? {
        known.insert(*share.user.as_bytes(), (share.user, 0, share.ts));
    }
    for contact in contacts::of_user(db, own.handle)? {
        let state = i64::from(contact.visible);
        known.insert(*contact.other.as_bytes(), (contact.other, state, contact.ts));
    }
    let mut all = vec![contact::record(db, own, 2, own.created)?];
    for (handle, state, ts) in known.into_values() {
        if let Some(user) = users::by_handle(db, handle)? {
            all.push(contact::record(db, &user, state, ts)?);
        }
    }
    Ok(all)
}

fn received(db: &Connection, address: Option<&str>) -> rusqlite::Result<Vec<IncomingRequest>> {
    let Some(address) = address else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for request in contacts::received(db, address)? {
        all.push(contact::incoming(db, &request)?);
    }
    Ok(all)
}

fn sent(db: &Connection, own: &users::User) -> rusqlite::Result<Vec<OutgoingRequest>> {
    let sent = contacts::sent(db, own.handle)?;
    Ok(sent.iter().map(|request| contact::outgoing(own, request)).collect())
}
