//! Node keys for those who do not own the node: under the keys of shares, which all readers of a share
//! have, and under the master keys of other users, who made it.

use rusqlite::{Connection, OptionalExtension, params};
use supermega_encoding::{NodeHandle, UserHandle};

use super::nodes::ShareKey;

pub(crate) fn of_node(db: &Connection, node: NodeHandle) -> rusqlite::Result<Vec<ShareKey>> {
    db.prepare_cached("SELECT share, key FROM share_keys WHERE node = ?1")?
        .query_map([node.as_bytes()], |row| Ok((NodeHandle::from_bytes(row.get(0)?), row.get(1)?)))?
        .collect()
}

/// Keeps a key; one that is there already is replaced if `replaces` says so.
pub(crate) fn set(
    db: &Connection,
    node: NodeHandle,
    share: NodeHandle,
    key: &str,
    replaces: bool,
) -> rusqlite::Result<()> {
    let or = if replaces { "REPLACE" } else { "IGNORE" };
    let insert = format!("INSERT OR {or} INTO share_keys (share, node, key) VALUES (?1, ?2, ?3)");
    db.prepare_cached(&insert)?.execute(params![share.as_bytes(), node.as_bytes(), key])?;
    Ok(())
}

/// The key of a node under the master key of a user who does not own it.
pub(crate) fn of_user(
    db: &Connection,
    node: NodeHandle,
    user: UserHandle,
) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT key FROM user_keys WHERE node = ?1 AND user = ?2")?
        .query_row(params![node.as_bytes(), user.as_bytes()], |row| row.get(0))
        .optional()
}

pub(crate) fn set_of_user(
    db: &Connection,
    node: NodeHandle,
    user: UserHandle,
    key: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO user_keys (node, user, key) VALUES (?1, ?2, ?3)")?
        .execute(params![node.as_bytes(), user.as_bytes(), key])?;
    Ok(())
}
