//! Mails that would go out.

use rusqlite::{Connection, params};

use super::now;
use crate::mail::{Mail, MailKind};

/// Older mails than this many make room for new ones.
const KEPT: i64 = 10_000;

pub(crate) fn put(
    db: &Connection,
    address: &str,
    kind: MailKind,
    link: &str,
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO outbox (address, kind, link, ts) VALUES (?1, ?2, ?3, ?4)",
        params![address, kind.name(), link, now()],
    )?;
    db.execute("DELETE FROM outbox WHERE id <= ?1", [db.last_insert_rowid() - KEPT])?;
    Ok(())
}

/// Shows every mail, the oldest first.
pub(crate) fn each<E: From<rusqlite::Error>>(
    db: &Connection,
    mut visit: impl FnMut(Mail) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement = db.prepare("SELECT address, kind, link, ts FROM outbox ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(1)?;
        // Only names of kinds are ever written.
        let Some(kind) = MailKind::named(&kind) else { continue };
        visit(Mail { to: row.get(0)?, kind, link: row.get(2)?, sent: row.get(3)? })?;
    }
    Ok(())
}

pub(crate) fn clear(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM outbox", []).map(|_| ())
}
