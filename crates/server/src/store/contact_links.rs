//! Links that lead to users, one for each who wants one.

use rusqlite::{Connection, OptionalExtension, params};
use supermega_encoding::{PublicHandle, UserHandle};

use super::users::random_bytes;

pub(crate) fn of_user(db: &Connection, user: UserHandle) -> rusqlite::Result<Option<PublicHandle>> {
    db.prepare_cached("SELECT handle FROM contact_links WHERE user = ?1")?
        .query_row([user.as_bytes()], |row| row.get(0).map(PublicHandle::from_bytes))
        .optional()
}

/// The user whom a link leads to.
pub(crate) fn user_of(db: &Connection, link: PublicHandle) -> rusqlite::Result<Option<UserHandle>> {
    db.prepare_cached("SELECT user FROM contact_links WHERE handle = ?1")?
        .query_row([link.as_bytes()], |row| row.get(0).map(UserHandle::from_bytes))
        .optional()
}

/// Makes a link, in place of the former if there is one.
pub(crate) fn replace(db: &Connection, user: UserHandle) -> rusqlite::Result<PublicHandle> {
    let handle = PublicHandle::from_bytes(random_bytes()?);
    db.execute(
        "INSERT OR REPLACE INTO contact_links (handle, user) VALUES (?1, ?2)",
        params![handle.as_bytes(), user.as_bytes()],
    )?;
    Ok(handle)
}

/// Removes a user's link; says whether there was one.
pub(crate) fn remove(db: &Connection, user: UserHandle) -> rusqlite::Result<bool> {
    Ok(db.execute("DELETE FROM contact_links WHERE user = ?1", [user.as_bytes()])? == 1)
}
