//! Uploads: what has arrived, and what a complete one is known by.

use rusqlite::{Connection, OptionalExtension, params};
use supermega_encoding::{UserHandle, base64};

use super::now;
use super::users::random_bytes;

/// An upload's record.
pub(crate) struct Upload {
    pub size: u64,
    /// Whether the client reads a token of raw bytes, rather than text.
    pub raw: bool,
    /// The token, once everything has arrived.
    pub completion: Option<Vec<u8>>,
}

pub(crate) fn insert(
    db: &Connection,
    user: UserHandle,
    size: u64,
    raw: bool,
) -> rusqlite::Result<String> {
    let token = base64::encode(&random_bytes::<18>()?);
    db.execute(
        "INSERT INTO uploads (token, user, size, raw, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![token, user.as_bytes(), size, raw, now()],
    )?;
    Ok(token)
}

pub(crate) fn get(db: &Connection, token: &str) -> rusqlite::Result<Option<Upload>> {
    db.prepare_cached("SELECT size, raw, completion FROM uploads WHERE token = ?1")?
        .query_row([token], |row| {
            Ok(Upload { size: row.get(0)?, raw: row.get(1)?, completion: row.get(2)? })
        })
        .optional()
}

/// Notes bytes `start..end` and says whether all have arrived.
pub(crate) fn add_range(
    db: &Connection,
    token: &str,
    start: u64,
    end: u64,
    size: u64,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "INSERT INTO upload_ranges (token, start, end) VALUES (?1, ?2, ?3)
         ON CONFLICT (token, start) DO UPDATE SET end = max(end, excluded.end)",
    )?
    .execute(params![token, start, end])?;
    let mut statement =
        db.prepare_cached("SELECT start, end FROM upload_ranges WHERE token = ?1 ORDER BY start")?;
    let mut reached = 0;
    let mut rows = statement.query([token])?;
    while let Some(row) = rows.next()? {
        let (start, end): (u64, u64) = (row.get(0)?, row.get(1)?);
        if start > reached {
            return Ok(false);
        }
        reached = reached.max(end);
    }
    Ok(reached >= size)
}

/// Makes a complete upload a blob; gives its token and the blob's id.
///
/// Raw tokens end with byte 1, by which some clients know them from text (`protocol-api.md` 4.3).
pub(crate) fn complete(
    db: &Connection,
    token: &str,
    upload: &Upload,
) -> rusqlite::Result<(Vec<u8>, i64)> {
    let completion = if upload.raw {
        let mut bytes = random_bytes::<36>()?;
        bytes[35] = 1;
        bytes.to_vec()
    } else {
        base64::encode(&random_bytes::<27>()?).into_bytes()
    };
    db.execute("INSERT INTO blobs (size) VALUES (?1)", [upload.size])?;
    let blob = db.last_insert_rowid();
    db.execute(
        "UPDATE uploads SET completion = ?2, blob = ?3 WHERE token = ?1",
        params![token, completion, blob],
    )?;
    db.execute("DELETE FROM upload_ranges WHERE token = ?1", [token])?;
    Ok((completion, blob))
}

/// The blob and size of a complete upload, by the text that `p` names it by, if it is this user's.
pub(crate) fn find_complete(
    db: &Connection,
    user: UserHandle,
    text: &str,
) -> rusqlite::Result<Option<(i64, u64)>> {
    let raw = base64::decode(text).unwrap_or_default();
    db.prepare_cached(
        "SELECT blob, size FROM uploads
         WHERE user = ?1 AND blob IS NOT NULL
         AND ((raw AND completion = ?2) OR (NOT raw AND completion = ?3))",
    )?
    .query_row(params![user.as_bytes(), raw, text.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}
