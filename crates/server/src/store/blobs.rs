//! Blobs: the ciphertext of files, which nodes and uploads share.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};

use super::now;

/// Clients go on with an upload, or name a complete one, for two days (`protocol-api.md` 4.4, 4.5); some
/// slow ones for longer.
const UPLOADS_KEPT: i64 = 7 * 24 * 3600;

pub(crate) fn insert(db: &Connection, size: u64) -> rusqlite::Result<i64> {
    db.execute("INSERT INTO blobs (size) VALUES (?1)", [size])?;
    Ok(db.last_insert_rowid())
}

/// The ids of all blobs.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<HashSet<i64>> {
    db.prepare("SELECT id FROM blobs")?.query_map([], |row| row.get(0))?.collect()
}

/// The ids of blobs that grow: their uploads are not complete.
pub(crate) fn growing(db: &Connection) -> rusqlite::Result<HashSet<i64>> {
    let mut found = db.prepare("SELECT blob FROM uploads WHERE completion IS NULL")?;
    found.query_map([], |row| row.get(0))?.collect()
}

/// Removes a blob unless a node or an upload needs it; says whether it is gone.
pub(crate) fn remove_unused(db: &Connection, blob: i64) -> rusqlite::Result<bool> {
    let removed = db
        .prepare_cached(
            "DELETE FROM blobs WHERE id = ?1
             AND NOT EXISTS (SELECT 1 FROM nodes WHERE blob = ?1)
             AND NOT EXISTS (SELECT 1 FROM uploads WHERE blob = ?1)",
        )?
        .execute([blob])?;
    Ok(removed == 1)
}

/// Forgets uploads that nobody came back for, with the blobs that were theirs alone.
pub(crate) fn forget_old_uploads(db: &Connection) -> rusqlite::Result<()> {
    let oldest = now() - UPLOADS_KEPT;
    loop {
        let blob = db
            .prepare_cached(
                "DELETE FROM uploads WHERE token =
                     (SELECT token FROM uploads WHERE used < ?1 LIMIT 1) RETURNING blob",
            )?
            .query_row([oldest], |row| row.get(0))
            .optional()?;
        let Some(blob) = blob else { return Ok(()) };
        remove_unused(db, blob)?;
    }
}
