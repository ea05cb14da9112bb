//! Share keys that users leave for each other (`protocol-api.md` 2.9, `pk`).

use rusqlite::{Connection, params};
use supermega_encoding::{NodeHandle, UserHandle};

/// A share key that waits for its reader.
pub(crate) struct WaitingKey {
    pub id: i64,
    pub sender: UserHandle,
    pub share: NodeHandle,
    pub key: String,
}

/// What waits for a user, in the order in which it came.
pub(crate) fn of_user(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<WaitingKey>> {
    db.prepare_cached(
        "SELECT id, sender, share, key FROM waiting_keys WHERE user = ?1 ORDER BY id",
    )?
    .query_map([user.as_bytes()], |row| {
        Ok(WaitingKey {
            id: row.get(0)?,
            sender: UserHandle::from_bytes(row.get(1)?),
            share: NodeHandle::from_bytes(row.get(2)?),
            key: row.get(3)?,
        })
    })?
    .collect()
}

pub(crate) fn insert(
    db: &Connection,
    user: UserHandle,
    sender: UserHandle,
    share: NodeHandle,
    key: &str,
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO waiting_keys (user, sender, share, key) VALUES (?1, ?2, ?3, ?4)",
        params![user.as_bytes(), sender.as_bytes(), share.as_bytes(), key],
    )?;
    Ok(())
}

/// Drops what waits for a user, up to an id.
pub(crate) fn remove_until(db: &Connection, user: UserHandle, id: i64) -> rusqlite::Result<()> {
    db.execute(
        "DELETE FROM waiting_keys WHERE user = ?1 AND id <= ?2",
        params![user.as_bytes(), id],
    )?;
    Ok(())
}
