//! File attributes: thumbnails and the like, which live as long as a node names them.

use rusqlite::{Connection, OptionalExtension, params};
use supermega_encoding::{FileAttributeHandle, NodeHandle};
use supermega_protocol::file_attribute::{FileAttribute, FileAttributes};

use super::now;
use super::users::random_bytes;

/// What nobody attached in this time is forgotten, as with uploads.
const KEPT: i64 = 7 * 24 * 3600;

/// Keeps an attribute's bytes.
pub(crate) fn insert(db: &Connection, data: &[u8]) -> rusqlite::Result<FileAttributeHandle> {
    let handle = FileAttributeHandle::from_bytes(random_bytes()?);
    db.prepare_cached("INSERT INTO file_attributes (handle, data, created) VALUES (?1, ?2, ?3)")?
        .execute(params![handle.as_bytes(), data, now()])?;
    Ok(handle)
}

/// How long an attribute is, if there is one.
pub(crate) fn size(db: &Connection, handle: FileAttributeHandle) -> rusqlite::Result<Option<u64>> {
    db.prepare_cached("SELECT length(data) FROM file_attributes WHERE handle = ?1")?
        .query_row([handle.as_bytes()], |row| row.get(0))
        .optional()
}

pub(crate) fn get(
    db: &Connection,
    handle: FileAttributeHandle,
) -> rusqlite::Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT data FROM file_attributes WHERE handle = ?1")?
        .query_row([handle.as_bytes()], |row| row.get(0))
        .optional()
}

/// Notes which attributes a node names, in place of those that it named before.
pub(super) fn attach(db: &Connection, node: NodeHandle, fa: &str) -> rusqlite::Result<()> {
    let entries: FileAttributes = fa.parse().unwrap_or_default();
    let named: Vec<_> = entries.0.iter().filter_map(FileAttribute::handle).collect();
    for handle in &named {
        db.prepare_cached(
            "INSERT OR IGNORE INTO node_file_attributes (node, attribute) VALUES (?1, ?2)",
        )?
        .execute(params![node.as_bytes(), handle.as_bytes()])?;
    }
    let before: Vec<FileAttributeHandle> = db
        .prepare_cached("SELECT attribute FROM node_file_attributes WHERE node = ?1")?
        .query_map([node.as_bytes()], |row| row.get(0).map(FileAttributeHandle::from_bytes))?
        .collect::<rusqlite::Result<_>>()?;
    for handle in before.iter().filter(|handle| !named.contains(handle)) {
        db.prepare_cached("DELETE FROM node_file_attributes WHERE node = ?1 AND attribute = ?2")?
            .execute(params![node.as_bytes(), handle.as_bytes()])?;
    }
    Ok(())
}

/// Forgets what was uploaded and never attached.
pub(crate) fn forget_unattached(db: &Connection) -> rusqlite::Result<()> {
    db.execute(
        "DELETE FROM file_attributes WHERE created < ?1
         AND NOT EXISTS (SELECT 1 FROM node_file_attributes WHERE attribute = handle)",
        [now() - KEPT],
    )?;
    Ok(())
}
