//! Public links and exported folders.

use rusqlite::{Connection, OptionalExtension, params};
use supermega_encoding::{NodeHandle, PublicHandle, UserHandle};

use super::now;
use super::users::random_bytes;

/// A public link.
pub(crate) struct Link {
    pub handle: PublicHandle,
    pub node: NodeHandle,
    pub ts: i64,
}

/// A folder that is shared with everybody who has its link.
pub(crate) struct Export {
    pub node: NodeHandle,
    pub level: u8,
    pub ts: i64,
}

pub(crate) fn node_of(db: &Connection, link: PublicHandle) -> rusqlite::Result<Option<NodeHandle>> {
    db.prepare_cached("SELECT node FROM links WHERE handle = ?1")?
        .query_row([link.as_bytes()], |row| row.get(0).map(NodeHandle::from_bytes))
        .optional()
}

/// The folder that a folder link opens, if it does.
pub(crate) fn folder_of(
    db: &Connection,
    link: PublicHandle,
) -> rusqlite::Result<Option<NodeHandle>> {
    db.prepare_cached(
        "SELECT l.node FROM links l JOIN exports e ON e.node = l.node WHERE l.handle = ?1",
    )?
    .query_row([link.as_bytes()], |row| row.get(0).map(NodeHandle::from_bytes))
    .optional()
}

pub(crate) fn of_node(db: &Connection, node: NodeHandle) -> rusqlite::Result<Option<Link>> {
    db.prepare_cached("SELECT handle, ts FROM links WHERE node = ?1")?
        .query_row([node.as_bytes()], |row| {
            Ok(Link { handle: PublicHandle::from_bytes(row.get(0)?), node, ts: row.get(1)? })
        })
        .optional()
}

/// The folder links through which a folder can be seen, its own among them.
pub(crate) fn around(db: &Connection, folder: NodeHandle) -> rusqlite::Result<Vec<PublicHandle>> {
    db.prepare_cached(
        "WITH RECURSIVE above (handle) AS (
             SELECT ?1 UNION
             SELECT n.parent FROM nodes n JOIN above a ON n.handle = a.handle
             WHERE n.parent IS NOT NULL
         )
         SELECT l.handle FROM above a JOIN links l ON l.node = a.handle
         JOIN exports e ON e.node = a.handle",
    )?
    .query_map([folder.as_bytes()], |row| row.get(0).map(PublicHandle::from_bytes))?
    .collect()
}

pub(crate) fn of_user(db: &Connection, owner: UserHandle) -> rusqlite::Result<Vec<Link>> {
    db.prepare_cached(
        "SELECT l.handle, l.node, l.ts FROM links l JOIN nodes n ON n.handle = l.node
         WHERE n.owner = ?1",
    )?
    .query_map([owner.as_bytes()], |row| {
        Ok(Link {
            handle: PublicHandle::from_bytes(row.get(0)?),
            node: NodeHandle::from_bytes(row.get(1)?),
            ts: row.get(2)?,
        })
    })?
    .collect()
}

pub(crate) fn insert(db: &Connection, node: NodeHandle) -> rusqlite::Result<Link> {
    let link = Link { handle: PublicHandle::from_bytes(random_bytes()?), node, ts: now() };
    db.execute(
        "INSERT INTO links (handle, node, ts) VALUES (?1, ?2, ?3)",
        params![link.handle.as_bytes(), node.as_bytes(), link.ts],
    )?;
    Ok(link)
}

pub(crate) fn remove(db: &Connection, node: NodeHandle) -> rusqlite::Result<()> {
    db.execute("DELETE FROM links WHERE node = ?1", [node.as_bytes()])?;
    Ok(())
}

pub(crate) fn exports(db: &Connection, owner: UserHandle) -> rusqlite::Result<Vec<Export>> {
    db.prepare_cached(
        "SELECT e.node, e.level, e.ts FROM exports e
         JOIN nodes n ON n.handle = e.node WHERE n.owner = ?1",
    )?
    .query_map([owner.as_bytes()], |row| {
        Ok(Export {
            node: NodeHandle::from_bytes(row.get(0)?),
            level: row.get(1)?,
            ts: row.get(2)?,
        })
    })?
    .collect()
}

pub(crate) fn is_exported(db: &Connection, node: NodeHandle) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM exports WHERE node = ?1)")?
        .query_row([node.as_bytes()], |row| row.get(0))
}

pub(crate) fn set_export(db: &Connection, export: &Export) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO exports (node, level, ts) VALUES (?1, ?2, ?3)
         ON CONFLICT (node) DO UPDATE SET level = excluded.level",
        params![export.node.as_bytes(), export.level, export.ts],
    )?;
    Ok(())
}

pub(crate) fn remove_export(db: &Connection, node: NodeHandle) -> rusqlite::Result<bool> {
    Ok(db.execute("DELETE FROM exports WHERE node = ?1", [node.as_bytes()])? == 1)
}
