//! Uploads: when one began, and what a complete one is known by. What has arrived meanwhile is in its journal.

use rusqlite::{Connection, OptionalExtension, params};
use supermega_encoding::{UserHandle, base64};

use super::users::random_bytes;
use super::{blobs, now};

/// An upload's record.
pub(crate) struct Upload {
    pub blob: i64,
    pub size: u64,
    /// Whether the client reads a token of raw bytes, rather than text.
    pub raw: bool,
    /// The token, once everything has arrived.
    pub completion: Option<Vec<u8>>,
    /// When it was last known to be in use.
    pub used: i64,
}

pub(crate) fn insert(
    db: &Connection,
    user: UserHandle,
    size: u64,
    raw: bool,
) -> rusqlite::Result<String> {
    let token = base64::encode(&random_bytes::<18>()?);
    let blob = blobs::insert(db, size)?;
    db.execute(
        "INSERT INTO uploads (token, user, blob, size, raw, used) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![token, user.as_bytes(), blob, size, raw, now()],
    )?;
    Ok(token)
}

pub(crate) fn get(db: &Connection, token: &str) -> rusqlite::Result<Option<Upload>> {
    db.prepare_cached("SELECT blob, size, raw, completion, used FROM uploads WHERE token = ?1")?
        .query_row([token], |row| {
            Ok(Upload {
                blob: row.get(0)?,
                size: row.get(1)?,
                raw: row.get(2)?,
                completion: row.get(3)?,
                used: row.get(4)?,
            })
        })
        .optional()
}

/// Forgets an upload that is not complete; gives the blob that nobody needs any more.
pub(crate) fn abandon(db: &Connection, token: &str) -> rusqlite::Result<Option<i64>> {
    let blob = db
        .query_row(
            "DELETE FROM uploads WHERE token = ?1 AND completion IS NULL RETURNING blob",
            [token],
            |row| row.get(0),
        )
        .optional()?;
    match blob {
        Some(blob) => blobs::remove_unused(db, blob).map(|removed| removed.then_some(blob)),
        None => Ok(None),
    }
}

/// Forgets all uploads of a user; gives the blobs that nobody needs any more.
pub(crate) fn remove_all(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<i64>> {
    let blobs: Vec<i64> = db
        .prepare("DELETE FROM uploads WHERE user = ?1 RETURNING blob")?
        .query_map([user.as_bytes()], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut unused = Vec::new();
    for blob in blobs {
        if blobs::remove_unused(db, blob)? {
            unused.push(blob);
        }
    }
    Ok(unused)
}

/// Notes that an upload is in use.
pub(crate) fn touch(db: &Connection, token: &str) -> rusqlite::Result<()> {
    db.execute("UPDATE uploads SET used = ?2 WHERE token = ?1", params![token, now()])?;
    Ok(())
}

/// Makes an upload complete, if there is one, and gives its token, which stays the same.
///
/// Raw tokens end with byte 1, by which some clients know them from text (`protocol-api.md` 4.3).
pub(crate) fn complete(db: &Connection, token: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let Some(upload) = get(db, token)? else { return Ok(None) };
    if upload.completion.is_some() {
        return Ok(upload.completion);
    }
    let completion = if upload.raw {
        let mut bytes = random_bytes::<36>()?;
        bytes[35] = 1;
        bytes.to_vec()
    } else {
        base64::encode(&random_bytes::<27>()?).into_bytes()
    };
    db.execute(
        "UPDATE uploads SET completion = ?2, used = ?3 WHERE token = ?1",
        params![token, completion, now()],
    )?;
    Ok(Some(completion))
}

/// The blob and size of a complete upload, by the text that `p` names it by, if it is this user's.
pub(crate) fn find_complete(
    db: &Connection,
    user: UserHandle,
    text: &str,
) -> rusqlite::Result<Option<(i64, u64)>> {
    let raw = base64::decode(text).unwrap_or_default();
    db.prepare_cached(
        "SELECT blob, size FROM uploads WHERE user = ?1
         AND ((raw AND completion = ?2) OR (NOT raw AND completion = ?3))",
    )?
    .query_row(params![user.as_bytes(), raw, text.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}
