//! Codes that went out by mail, each good for one thing for a day.

use rusqlite::{Connection, OptionalExtension, params};
use supermega_encoding::{UserHandle, base64};
use supermega_protocol::recovery::MailPurpose;

use super::now;
use super::users::random_bytes;

/// How long a code is good, in seconds.
const LIFE: i64 = 24 * 3600;
/// Codes are told from unknown ones for longer.
const KEPT: i64 = 30 * 24 * 3600;

/// What a code is for.
pub(crate) struct SentCode {
    pub purpose: MailPurpose,
    pub user: UserHandle,
    /// Where it went.
    pub address: String,
    /// Where the request for it came from.
    pub ip: String,
    pub ts: i64,
}

impl SentCode {
    /// Whether it is too old.
    pub(crate) fn has_ended(&self) -> bool {
        now() - self.ts > LIFE
    }
}

/// Draws a code.
pub(crate) fn insert(db: &Connection, sent: &SentCode) -> rusqlite::Result<String> {
    db.execute("DELETE FROM mail_codes WHERE ts < ?1", [now() - KEPT])?;
    let code = base64::encode(&random_bytes::<24>()?);
    db.execute(
        "INSERT INTO mail_codes (code, purpose, user, address, ip, ts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![code, sent.purpose.number(), sent.user.as_bytes(), sent.address, sent.ip, sent.ts],
    )?;
    Ok(code)
}

pub(crate) fn get(db: &Connection, code: &str) -> rusqlite::Result<Option<SentCode>> {
    db.query_row(
        "SELECT purpose, user, address, ip, ts FROM mail_codes WHERE code = ?1",
        [code],
        |row| {
            Ok(SentCode {
                purpose: MailPurpose::from_number(row.get(0)?),
                user: UserHandle::from_bytes(row.get(1)?),
                address: row.get(2)?,
                ip: row.get(3)?,
                ts: row.get(4)?,
            })
        },
    )
    .optional()
}

/// A code is good once.
pub(crate) fn remove(db: &Connection, code: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM mail_codes WHERE code = ?1", [code])?;
    Ok(())
}
