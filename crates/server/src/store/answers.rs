//! Answers that are given again when the same request comes again (`protocol-api.md` 1.7).
//!
//! They are written in the transaction of the request, so that no crash comes between a change and its
//! answer.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::now;

/// Clients repeat a request for about ten minutes.
const KEPT: i64 = 20 * 60;

/// What tells a request from others.
pub(crate) type RequestKey = [u8; 32];

/// The key of a request: the session, the id that the client gave it, its body.
pub(crate) fn key(session: &str, id: &str, body: &str) -> RequestKey {
    let mut hash = Sha256::new();
    for part in [session, id, body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

pub(crate) fn get(db: &Connection, request: &RequestKey) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT body FROM answers WHERE request = ?1")?
        .query_row([request], |row| row.get(0))
        .optional()
}

/// Keeps an answer, and forgets those that nobody asks for any more.
pub(crate) fn put(
    db: &Connection,
    request: &RequestKey,
    session: &[u8; 32],
    body: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM answers WHERE given < ?1")?.execute([now() - KEPT])?;
    db.prepare_cached(
        "INSERT OR REPLACE INTO answers (request, session, body, given) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![request, session, body, now()])?;
    Ok(())
}

/// Forgets all answers.
pub(crate) fn clear(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM answers", [])?;
    Ok(())
}

/// Forgets what was answered to a session.
pub(super) fn forget(db: &Connection, session: &[u8; 32]) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM answers WHERE session = ?1")?.execute([session])?;
    Ok(())
}
