//! Sessions: who a session id belongs to.

use rusqlite::{Connection, OptionalExtension, params};
use supermega_crypto::SessionId;
use supermega_encoding::UserHandle;

use super::session_history::{self, Origin};
use super::users::session_hash;
use super::{answers, now};

/// A live session.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    pub hash: [u8; 32],
    pub user: UserHandle,
}

pub(crate) fn insert(
    db: &Connection,
    sid: &SessionId,
    user: UserHandle,
    sek: Option<&[u8]>,
    origin: &Origin<'_>,
) -> rusqlite::Result<()> {
    let hash = session_hash(sid.as_bytes());
    db.execute(
        "INSERT OR REPLACE INTO sessions (hash, user, sek, created) VALUES (?1, ?2, ?3, ?4)",
        params![hash, user.as_bytes(), sek, now()],
    )?;
    session_history::opened(db, &hash, user, origin)
}

pub(crate) fn find(db: &Connection, sid: &[u8]) -> rusqlite::Result<Option<Session>> {
    let hash = session_hash(sid);
    db.prepare_cached("SELECT user FROM sessions WHERE hash = ?1")?
        .query_row([hash], |row| Ok(Session { hash, user: UserHandle::from_bytes(row.get(0)?) }))
        .optional()
}

/// Whether a session has not ended.
pub(crate) fn is_live(db: &Connection, session: &Session) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM sessions WHERE hash = ?1)")?
        .query_row([session.hash], |row| row.get(0))
}

/// The session's key; if it has none yet, `offered` becomes it (`protocol-auth.md` 2.11).
pub(crate) fn session_key(
    db: &Connection,
    session: &Session,
    offered: Option<&[u8]>,
) -> rusqlite::Result<Option<Vec<u8>>> {
    db.execute(
        "UPDATE sessions SET sek = ?2 WHERE hash = ?1 AND sek IS NULL",
        params![session.hash, offered],
    )?;
    db.query_row("SELECT sek FROM sessions WHERE hash = ?1", [session.hash], |row| row.get(0))
}

/// Ends a session: nobody finds it any more, and nobody gets an answer again that was given to it.
pub(crate) fn remove(db: &Connection, hash: &[u8; 32]) -> rusqlite::Result<()> {
    db.execute("DELETE FROM sessions WHERE hash = ?1", [hash])?;
    answers::forget(db, hash)?;
    session_history::ended(db, hash)
}

/// Ends all sessions of a user.
pub(crate) fn remove_all(db: &Connection, user: UserHandle) -> rusqlite::Result<()> {
    let hashes: Vec<[u8; 32]> = db
        .prepare("SELECT hash FROM sessions WHERE user = ?1")?
        .query_map([user.as_bytes()], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    hashes.iter().try_for_each(|hash| remove(db, hash))
}
