//! Exported folders, and node keys under share keys: `s2`, `cr` (`protocol-api.md` 2.9, 6.4).

use supermega_encoding::{NodeHandle, base64};
use supermega_protocol::packet::{ChangedShare, PacketBody};
use supermega_protocol::share::{EXPORT, SetShare, SetShareReply, ShareNodeKeys};
use supermega_protocol::tree::NodeType;
use supermega_protocol::{ErrorCode, Flag, Timestamp, Verbatim};

use super::call::{ApiError, Call, Handle};
use crate::store::events::Stream;
use crate::store::links::{self, Export};
use crate::store::nodes::Node;
use crate::store::{nodes, now, share_keys};

impl Handle for SetShare {
    fn handle(self, call: &mut Call<'_>) -> Result<SetShareReply, ApiError> {
        let node = call.own_node(self.n)?;
        if node.kind != NodeType::Folder {
            return Err(ErrorCode::Access.into());
        }
        // Shares with other users are refused whole, before anything changes.
        if self.s.is_empty() || self.s.iter().any(|target| target.u != EXPORT) {
            return Err(ErrorCode::Arguments.into());
        }
        let well_formed = |key: &Option<Verbatim>| {
            key.as_ref().is_none_or(|key| base64::decode(&key.0).is_ok_and(|key| key.len() == 16))
        };
        if !well_formed(&self.ok) || !well_formed(&self.ha) {
            return Err(ErrorCode::Arguments.into());
        }
        for target in &self.s {
            if let Some(level) = target.level() {
                set_export(call, &node, level, &self)?;
            } else if !remove_export(call, &node)? {
                return Err(ErrorCode::NotFound.into());
            }
        }
        if let Some(keys) = &self.cr {
            store_keys(call, keys, |i| keys.1.get(i).copied())?;
        }
        let r = self.s.iter().map(|_| ErrorCode::from_number(0)).collect();
        Ok(SetShareReply { r, u: Vec::new(), ok: None })
    }
}

fn set_export(
    call: &mut Call<'_>,
    node: &Node,
    level: u8,
    share: &SetShare,
) -> Result<(), ApiError> {
    let ts = now();
    links::set_export(
        call.db,
        &Export {
            node: node.handle,
            level,
            ok: share.ok.as_ref().map(|ok| ok.0.clone()),
            ha: share.ha.as_ref().map(|ha| ha.0.clone()),
            ts,
        },
    )?;
    let packet = ChangedShare {
        r: Some(level),
        ok: share.ok.clone(),
        ha: share.ha.clone(),
        ..changed(node, ts)
    };
    call.send(Stream::User(node.owner), true, PacketBody::Share(packet))
}

/// Ends the export of a folder, if it is exported.
pub(super) fn remove_export(call: &mut Call<'_>, node: &Node) -> Result<bool, ApiError> {
    if !links::remove_export(call.db, node.handle)? {
        return Ok(false);
    }
    let packet = ChangedShare { okd: Flag::SET, ..changed(node, now()) };
    call.send(Stream::User(node.owner), true, PacketBody::Share(packet))?;
    Ok(true)
}

fn changed(node: &Node, ts: i64) -> ChangedShare {
    ChangedShare {
        n: node.handle,
        o: Some(node.owner),
        u: Some(EXPORT.into()),
        p: None,
        op: None,
        r: None,
        ts: Some(Timestamp(ts)),
        ok: None,
        ha: None,
        k: None,
        okd: None,
        ou: Some(node.owner),
    }
}

/// Keeps keys of the caller's own nodes; `node` finds a node by its index.
pub(super) fn store_keys(
    call: &Call<'_>,
    keys: &ShareNodeKeys,
    node: impl Fn(usize) -> Option<NodeHandle>,
) -> Result<(), ApiError> {
    for triple in &keys.2.0 {
        let share = keys.0.get(triple.share).ok_or(ErrorCode::Arguments)?;
        // An element that was refused has no node.
        let Some(node) = node(triple.node) else { continue };
        call.own_node(node)?;
        let length = triple.key.decode().map_err(|_| ErrorCode::Arguments)?.len();
        let inside = nodes::ancestors(call.db, node)?.contains(share);
        if inside && matches!(length, 16 | 32) {
            share_keys::set(call.db, node, *share, &triple.key.0)?;
        }
    }
    Ok(())
}
