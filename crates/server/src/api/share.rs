//! Exported folders, and node keys under share keys: `s2`, `cr` (`protocol-api.md` 2.9, 6.4).

use supermega_encoding::NodeHandle;
use supermega_protocol::packet::{ChangedShare, PacketBody};
use supermega_protocol::share::{EXPORT, SetShare, SetShareReply, ShareNodeKeys};
use supermega_protocol::tree::NodeType;
use supermega_protocol::{ErrorCode, Flag, Timestamp};

use super::call::{ApiError, Call, Handle};
use crate::store::events::Stream;
use crate::store::links::{self, Export};
use crate::store::{nodes, now};

impl Handle for SetShare {
    fn handle(self, call: &mut Call<'_>) -> Result<SetShareReply, ApiError> {
        let node = call.own_node(self.n)?;
        if node.kind != NodeType::Folder {
            return Err(ErrorCode::Access.into());
        }
        // Shares with other users are refused whole, before anything changes.
        if self.s.iter().any(|target| target.u != EXPORT) {
            return Err(ErrorCode::Arguments.into());
        }
        for target in &self.s {
            let mut packet = ChangedShare {
                n: node.handle,
                o: Some(node.owner),
                u: Some(EXPORT.into()),
                p: None,
                op: None,
                r: target.level(),
                ts: Some(Timestamp(now())),
                ok: None,
                ha: None,
                k: None,
                okd: None,
                ou: Some(node.owner),
            };
            if let Some(level) = target.level() {
                packet.ok.clone_from(&self.ok);
                packet.ha.clone_from(&self.ha);
                let export = Export {
                    node: node.handle,
                    level,
                    ok: self.ok.as_ref().map(|ok| ok.0.clone()),
                    ha: self.ha.as_ref().map(|ha| ha.0.clone()),
                    ts: now(),
                };
                links::set_export(call.db, &export)?;
            } else if links::remove_export(call.db, node.handle)? {
                packet.okd = Flag::SET;
            } else {
                return Err(ErrorCode::NotFound.into());
            }
            call.send(Stream::User(node.owner), true, PacketBody::Share(packet))?;
        }
        if let Some(keys) = &self.cr {
            store_keys(call, keys, |i| keys.1.get(i).copied())?;
        }
        let r = self.s.iter().map(|_| ErrorCode::from_number(0)).collect();
        Ok(SetShareReply { r, u: Vec::new(), ok: None })
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
        let Some(node) = node(triple.node) else { continue };
        call.own_node(node)?;
        let length = triple.key.decode().map_err(|_| ErrorCode::Arguments)?.len();
        let inside = nodes::ancestors(call.db, node)?.contains(share);
        if inside && matches!(length, 16 | 32) {
            nodes::set_share_key(call.db, node, *share, &triple.key.0)?;
        }
    }
    Ok(())
}
