//! Folders that are shared with users: by whom, with whom, how far.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use supermega_encoding::{ContactRequestHandle, NodeHandle, UserHandle};

use super::now;

/// A folder that is shared with a user.
#[derive(Clone)]
pub(crate) struct Share {
    pub node: NodeHandle,
    pub user: UserHandle,
    pub level: u8,
    /// The share key for the user, if its owner left one.
    pub key: Option<String>,
    pub ts: i64,
}

const COLUMNS: &str = "s.node, s.user, s.level, s.key, s.ts";

fn read(row: &Row<'_>) -> rusqlite::Result<Share> {
    Ok(Share {
        node: NodeHandle::from_bytes(row.get(0)?),
        user: UserHandle::from_bytes(row.get(1)?),
        level: row.get(2)?,
        key: row.get(3)?,
        ts: row.get(4)?,
    })
}

/// The share with a user, if there is one.
pub(crate) fn get(
    db: &Connection,
    node: NodeHandle,
    user: UserHandle,
) -> rusqlite::Result<Option<Share>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM shares s WHERE s.node = ?1 AND s.user = ?2"))?
        .query_row(params![node.as_bytes(), user.as_bytes()], read)
        .optional()
}

/// With whom a folder is shared.
pub(crate) fn of_node(db: &Connection, node: NodeHandle) -> rusqlite::Result<Vec<Share>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM shares s WHERE s.node = ?1"))?
        .query_map([node.as_bytes()], read)?
        .collect()
}

/// What a user shares.
pub(crate) fn outgoing(db: &Connection, owner: UserHandle) -> rusqlite::Result<Vec<Share>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM shares s JOIN nodes n ON n.handle = s.node WHERE n.owner = ?1"
    ))?
    .query_map([owner.as_bytes()], read)?
    .collect()
}

/// What is shared with a user, by folder.
pub(crate) fn incoming(
    db: &Connection,
    user: UserHandle,
) -> rusqlite::Result<HashMap<NodeHandle, Share>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM shares s WHERE s.user = ?1"))?
        .query_map([user.as_bytes()], |row| read(row).map(|share| (share.node, share)))?
        .collect()
}

/// How far a user may go with a node that is not his: what the innermost share around it says, since
/// that is the one that clients look at.
pub(crate) fn level(
    db: &Connection,
    node: NodeHandle,
    user: UserHandle,
) -> rusqlite::Result<Option<u8>> {
    db.prepare_cached(
        "WITH RECURSIVE above (handle, depth) AS (
             SELECT ?1, 0 UNION
             SELECT n.parent, a.depth + 1 FROM nodes n JOIN above a ON n.handle = a.handle
             WHERE n.parent IS NOT NULL
         )
         SELECT s.level FROM above a JOIN shares s ON s.node = a.handle
         WHERE s.user = ?2 ORDER BY a.depth LIMIT 1",
    )?
    .query_row(params![node.as_bytes(), user.as_bytes()], |row| row.get(0))
    .optional()
}

/// The users with whom a node is shared, by itself or by a folder around it.
pub(crate) fn readers(db: &Connection, node: NodeHandle) -> rusqlite::Result<Vec<UserHandle>> {
    db.prepare_cached(
        "WITH RECURSIVE above (handle) AS (
             SELECT ?1 UNION
             SELECT n.parent FROM nodes n JOIN above a ON n.handle = a.handle
             WHERE n.parent IS NOT NULL
         )
         SELECT DISTINCT s.user FROM above a JOIN shares s ON s.node = a.handle",
    )?
    .query_map([node.as_bytes()], |row| row.get(0).map(UserHandle::from_bytes))?
    .collect()
}

/// Adds a share or changes its level.
pub(crate) fn set(db: &Connection, share: &Share) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO shares (node, user, level, key, ts) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (node, user) DO UPDATE
         SET level = excluded.level, key = coalesce(excluded.key, key)",
        params![share.node.as_bytes(), share.user.as_bytes(), share.level, share.key, share.ts],
    )?;
    Ok(())
}

pub(crate) fn remove(
    db: &Connection,
    node: NodeHandle,
    user: UserHandle,
) -> rusqlite::Result<bool> {
    let removed = db.execute(
        "DELETE FROM shares WHERE node = ?1 AND user = ?2",
        params![node.as_bytes(), user.as_bytes()],
    )?;
    Ok(removed == 1)
}

/// A share that waits for an answer to a contact request.
#[derive(Clone)]
pub(crate) struct PendingShare {
    pub node: NodeHandle,
    pub request: ContactRequestHandle,
    pub level: u8,
    pub key: Option<String>,
    pub ts: i64,
}

fn read_pending(row: &Row<'_>) -> rusqlite::Result<PendingShare> {
    Ok(PendingShare {
        node: NodeHandle::from_bytes(row.get(0)?),
        request: ContactRequestHandle::from_bytes(row.get(1)?),
        level: row.get(2)?,
        key: row.get(3)?,
        ts: row.get(4)?,
    })
}

const PENDING: &str = "p.node, p.request, p.level, p.key, p.ts";

/// The shares that wait for an answer to a request.
pub(crate) fn pending_on(
    db: &Connection,
    request: ContactRequestHandle,
) -> rusqlite::Result<Vec<PendingShare>> {
    db.prepare_cached(&format!("SELECT {PENDING} FROM pending_shares p WHERE p.request = ?1"))?
        .query_map([request.as_bytes()], read_pending)?
        .collect()
}

/// The shares of a folder that wait.
pub(crate) fn pending_of(db: &Connection, node: NodeHandle) -> rusqlite::Result<Vec<PendingShare>> {
    db.prepare_cached(&format!("SELECT {PENDING} FROM pending_shares p WHERE p.node = ?1"))?
        .query_map([node.as_bytes()], read_pending)?
        .collect()
}

/// The shares of a user that wait.
pub(crate) fn outgoing_pending(
    db: &Connection,
    owner: UserHandle,
) -> rusqlite::Result<Vec<PendingShare>> {
    db.prepare_cached(&format!(
        "SELECT {PENDING} FROM pending_shares p JOIN nodes n ON n.handle = p.node
         WHERE n.owner = ?1"
    ))?
    .query_map([owner.as_bytes()], read_pending)?
    .collect()
}

pub(crate) fn set_pending(db: &Connection, share: &PendingShare) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO pending_shares (node, request, level, key, ts)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![share.node.as_bytes(), share.request.as_bytes(), share.level, share.key, share.ts],
    )?;
    Ok(())
}

pub(crate) fn remove_pending(
    db: &Connection,
    node: NodeHandle,
    request: ContactRequestHandle,
) -> rusqlite::Result<bool> {
    let removed = db.execute(
        "DELETE FROM pending_shares WHERE node = ?1 AND request = ?2",
        params![node.as_bytes(), request.as_bytes()],
    )?;
    Ok(removed == 1)
}

/// What the owner keeps of a folder's share key.
pub(crate) struct OwnerKey {
    pub node: NodeHandle,
    pub ok: Option<String>,
    pub ha: Option<String>,
}

fn read_owner_key(row: &Row<'_>) -> rusqlite::Result<OwnerKey> {
    let node = NodeHandle::from_bytes(row.get(0)?);
    Ok(OwnerKey { node, ok: row.get(1)?, ha: row.get(2)? })
}

pub(crate) fn owner_key(db: &Connection, node: NodeHandle) -> rusqlite::Result<Option<OwnerKey>> {
    db.prepare_cached("SELECT node, ok, ha FROM owner_keys WHERE node = ?1")?
        .query_row([node.as_bytes()], read_owner_key)
        .optional()
}

/// The keys of all folders that a user shares.
pub(crate) fn owner_keys(db: &Connection, owner: UserHandle) -> rusqlite::Result<Vec<OwnerKey>> {
    db.prepare_cached(
        "SELECT k.node, k.ok, k.ha FROM owner_keys k JOIN nodes n ON n.handle = k.node
         WHERE n.owner = ?1",
    )?
    .query_map([owner.as_bytes()], read_owner_key)?
    .collect()
}

pub(crate) fn set_owner_key(db: &Connection, key: &OwnerKey) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO owner_keys (node, ok, ha) VALUES (?1, ?2, ?3) ON CONFLICT (node) DO UPDATE
         SET ok = coalesce(excluded.ok, ok), ha = coalesce(excluded.ha, ha)",
        params![key.node.as_bytes(), key.ok, key.ha],
    )?;
    Ok(())
}

/// Forgets the keys of a folder that nobody shares any more, and says whether that is so.
pub(crate) fn forget_unshared(db: &Connection, node: NodeHandle) -> rusqlite::Result<bool> {
    let shared: bool = db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM shares WHERE node = ?1)
                 OR EXISTS (SELECT 1 FROM exports WHERE node = ?1)
                 OR EXISTS (SELECT 1 FROM pending_shares WHERE node = ?1)",
        )?
        .query_row([node.as_bytes()], |row| row.get(0))?;
    if !shared {
        db.execute("DELETE FROM owner_keys WHERE node = ?1", [node.as_bytes()])?;
        db.execute("DELETE FROM share_keys WHERE share = ?1", [node.as_bytes()])?;
    }
    Ok(!shared)
}

/// A new share, from now on.
pub(crate) fn new(node: NodeHandle, user: UserHandle, level: u8, key: Option<String>) -> Share {
    Share { node, user, level, key, ts: now() }
}
