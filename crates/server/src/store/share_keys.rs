//! Node keys under share keys: what the owner leaves for those who read a folder by its link.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};
use supermega_encoding::{NodeHandle, UserHandle};

use super::nodes::ShareKey;

pub(crate) fn of_node(db: &Connection, node: NodeHandle) -> rusqlite::Result<Vec<ShareKey>> {
    db.prepare_cached("SELECT share, key FROM share_keys WHERE node = ?1")?
        .query_map([node.as_bytes()], |row| Ok((NodeHandle::from_bytes(row.get(0)?), row.get(1)?)))?
        .collect()
}

/// All keys of a user's nodes, by node.
pub(crate) fn of_owner(
    db: &Connection,
    owner: UserHandle,
) -> rusqlite::Result<HashMap<NodeHandle, Vec<ShareKey>>> {
    by_node(
        db,
        "SELECT k.node, k.share, k.key FROM share_keys k
         JOIN nodes s ON s.handle = k.share WHERE s.owner = ?1",
        owner.as_bytes(),
    )
}

/// All keys of a share, by node.
pub(crate) fn of_share(
    db: &Connection,
    share: NodeHandle,
) -> rusqlite::Result<HashMap<NodeHandle, Vec<ShareKey>>> {
    by_node(db, "SELECT node, share, key FROM share_keys WHERE share = ?1", share.as_bytes())
}

fn by_node(
    db: &Connection,
    query: &str,
    of: &[u8],
) -> rusqlite::Result<HashMap<NodeHandle, Vec<ShareKey>>> {
    let read = |row: &Row<'_>| {
        let (node, share) = (row.get(0)?, row.get(1)?);
        Ok((NodeHandle::from_bytes(node), (NodeHandle::from_bytes(share), row.get(2)?)))
    };
    let mut keys: HashMap<NodeHandle, Vec<ShareKey>> = HashMap::new();
    for key in db.prepare_cached(query)?.query_map([of], read)? {
        let (node, key) = key?;
        keys.entry(node).or_default().push(key);
    }
    Ok(keys)
}

pub(crate) fn set(
    db: &Connection,
    node: NodeHandle,
    share: NodeHandle,
    key: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO share_keys (share, node, key) VALUES (?1, ?2, ?3)")?
        .execute(params![share.as_bytes(), node.as_bytes(), key])?;
    Ok(())
}
