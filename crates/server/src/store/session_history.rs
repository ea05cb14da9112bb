//! What a user is shown of sessions, the ended ones too.

use rusqlite::{Connection, OptionalExtension, Row, params};
use supermega_encoding::{DeviceSessionHandle, UserHandle};

use super::now;
use super::sessions::Session;
use super::users::random_bytes;

/// Writing down every request would make each a writing one.
const EXACT: i64 = 60;
/// Ended sessions are shown for so long.
const KEPT: i64 = 90 * 24 * 60 * 60;

/// Where a session was opened from.
pub(crate) struct Origin<'a> {
    pub agent: &'a str,
    pub ip: &'a str,
    /// The device, if the client told.
    pub device: Option<&'a str>,
}

/// A session that lives or has ended.
pub(crate) struct Entry {
    pub id: DeviceSessionHandle,
    pub hash: [u8; 32],
    pub opened: i64,
    pub used: i64,
    pub agent: String,
    pub ip: String,
    pub device: Option<String>,
    pub alive: bool,
}

const COLUMNS: &str = "id, hash, opened, used, agent, ip, device, ended IS NULL";

fn read(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        id: DeviceSessionHandle::from_bytes(row.get(0)?),
        hash: row.get(1)?,
        opened: row.get(2)?,
        used: row.get(3)?,
        agent: row.get(4)?,
        ip: row.get(5)?,
        device: row.get(6)?,
        alive: row.get(7)?,
    })
}

/// Notes a new session, and forgets what ended long ago.
pub(super) fn opened(
    db: &Connection,
    hash: &[u8; 32],
    user: UserHandle,
    origin: &Origin<'_>,
) -> rusqlite::Result<()> {
    db.execute("DELETE FROM session_history WHERE ended < ?1", [now() - KEPT])?;
    db.execute(
        "INSERT OR REPLACE INTO session_history (id, hash, user, opened, used, agent, ip, device)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)",
        params![
            random_bytes::<8>()?,
            hash,
            user.as_bytes(),
            now(),
            origin.agent,
            origin.ip,
            origin.device
        ],
    )?;
    Ok(())
}

/// Notes that a session is in use, once a minute.
pub(crate) fn used(db: &Connection, session: &Session) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE session_history SET used = ?2 WHERE hash = ?1 AND used < ?3")?
        .execute(params![session.hash, now(), now() - EXACT])?;
    Ok(())
}

/// Notes that a session has ended.
pub(super) fn ended(db: &Connection, hash: &[u8; 32]) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE session_history SET ended = ?2 WHERE hash = ?1 AND ended IS NULL")?
        .execute(params![hash, now()])?;
    Ok(())
}

/// A user's sessions, the latest first.
pub(crate) fn of_user(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<Entry>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM session_history WHERE user = ?1 ORDER BY opened DESC, id"
    ))?
    .query_map([user.as_bytes()], read)?
    .collect()
}

/// One of a user's sessions.
pub(crate) fn find(
    db: &Connection,
    user: UserHandle,
    id: DeviceSessionHandle,
) -> rusqlite::Result<Option<Entry>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM session_history WHERE user = ?1 AND id = ?2"
    ))?
    .query_row(params![user.as_bytes(), id.as_bytes()], read)
    .optional()
}
