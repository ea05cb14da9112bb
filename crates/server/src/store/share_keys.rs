//! Node keys under share keys: what the owner leaves for those who read a folder by its link.

use rusqlite::{Connection, params};
use supermega_encoding::NodeHandle;

use super::nodes::ShareKey;

pub(crate) fn of_node(db: &Connection, node: NodeHandle) -> rusqlite::Result<Vec<ShareKey>> {
    db.prepare_cached("SELECT share, key FROM share_keys WHERE node = ?1")?
        .query_map([node.as_bytes()], |row| Ok((NodeHandle::from_bytes(row.get(0)?), row.get(1)?)))?
        .collect()
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
