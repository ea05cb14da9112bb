//! Shares with users, exported folders, and the node keys that both need (`protocol-api.md` 2.9).

mod end;
mod node_keys;
mod pending;
mod set;

use rusqlite::Connection;
use supermega_encoding::UserHandle;
use supermega_protocol::Timestamp;
use supermega_protocol::packet::ChangedShare;

use crate::store::nodes::{self, Node};
use crate::store::shares;

pub(super) use end::{end_all, end_between, leave, lose_sight};
pub(super) use node_keys::store as store_node_keys;
pub(super) use pending::{drop_pending, start_pending};

/// A packet about a share of a folder, of which nothing but the folder is said yet.
fn changed(node: &Node, ts: i64, by: UserHandle) -> ChangedShare {
    ChangedShare {
        n: node.handle,
        o: Some(node.owner),
        u: None,
        p: None,
        op: None,
        r: None,
        ts: Some(Timestamp(ts)),
        ok: None,
        ha: None,
        k: None,
        okd: None,
        ou: Some(by),
    }
}

/// Whether one user shares anything with the other.
pub(super) fn is_between(
    db: &Connection,
    one: UserHandle,
    other: UserHandle,
) -> rusqlite::Result<bool> {
    for (user, owner) in [(one, other), (other, one)] {
        for share in shares::incoming(db, user)?.into_values() {
            if nodes::get(db, share.node)?.is_some_and(|node| node.owner == owner) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
