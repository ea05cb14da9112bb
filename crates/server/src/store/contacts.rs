//! Contacts, and the requests that lead to them.

use rusqlite::{Connection, OptionalExtension, Row, params};
use supermega_encoding::{ContactRequestHandle, UserHandle};

use super::now;
use super::users::random_bytes;

/// An open contact request.
#[derive(Clone)]
pub(crate) struct ContactRequest {
    pub handle: ContactRequestHandle,
    pub sender: UserHandle,
    /// The e-mail address that it went to.
    pub address: String,
    pub message: Option<String>,
    /// The other one does not want to see it.
    pub ignored: bool,
    pub ts: i64,
    /// When it was last sent.
    pub uts: i64,
    /// Whether a contact link led to it.
    pub linked: bool,
}

const COLUMNS: &str = "handle, sender, address, message, ignored, ts, uts, linked";

fn read(row: &Row<'_>) -> rusqlite::Result<ContactRequest> {
    Ok(ContactRequest {
        handle: ContactRequestHandle::from_bytes(row.get(0)?),
        sender: UserHandle::from_bytes(row.get(1)?),
        address: row.get(2)?,
        message: row.get(3)?,
        ignored: row.get(4)?,
        ts: row.get(5)?,
        uts: row.get(6)?,
        linked: row.get(7)?,
    })
}

/// Someone with whom a user is or was in contact.
pub(crate) struct Contact {
    pub other: UserHandle,
    /// Whether they still are.
    pub visible: bool,
    pub ts: i64,
}

/// Whether two users are contacts of each other.
pub(crate) fn are_contacts(
    db: &Connection,
    one: UserHandle,
    other: UserHandle,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM contacts WHERE user = ?1 AND other = ?2 AND visible)",
    )?
    .query_row(params![one.as_bytes(), other.as_bytes()], |row| row.get(0))
}

/// Everybody with whom a user is or was in contact.
pub(crate) fn of_user(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<Contact>> {
    db.prepare_cached("SELECT other, visible, ts FROM contacts WHERE user = ?1")?
        .query_map([user.as_bytes()], |row| {
            Ok(Contact {
                other: UserHandle::from_bytes(row.get(0)?),
                visible: row.get(1)?,
                ts: row.get(2)?,
            })
        })?
        .collect()
}

/// Makes two users contacts of each other, or ends that.
pub(crate) fn set(
    db: &Connection,
    one: UserHandle,
    other: UserHandle,
    visible: bool,
) -> rusqlite::Result<()> {
    for (user, other) in [(one, other), (other, one)] {
        db.execute(
            "INSERT OR REPLACE INTO contacts (user, other, visible, ts) VALUES (?1, ?2, ?3, ?4)",
            params![user.as_bytes(), other.as_bytes(), visible, now()],
        )?;
    }
    Ok(())
}

pub(crate) fn request(
    db: &Connection,
    handle: ContactRequestHandle,
) -> rusqlite::Result<Option<ContactRequest>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM contact_requests WHERE handle = ?1"))?
        .query_row([handle.as_bytes()], read)
        .optional()
}

/// The open request of a user to an address.
pub(crate) fn request_to(
    db: &Connection,
    sender: UserHandle,
    address: &str,
) -> rusqlite::Result<Option<ContactRequest>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM contact_requests WHERE sender = ?1 AND address = ?2"
    ))?
    .query_row(params![sender.as_bytes(), address], read)
    .optional()
}

/// The open requests that a user sent.
pub(crate) fn sent(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<ContactRequest>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM contact_requests WHERE sender = ?1"))?
        .query_map([user.as_bytes()], read)?
        .collect()
}

/// The open requests to an address that their reader wants to see.
pub(crate) fn received(db: &Connection, address: &str) -> rusqlite::Result<Vec<ContactRequest>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM contact_requests WHERE address = ?1 AND NOT ignored"
    ))?
    .query_map([address], read)?
    .collect()
}

pub(crate) fn insert_request(
    db: &Connection,
    sender: UserHandle,
    address: &str,
    message: Option<&str>,
    linked: bool,
) -> rusqlite::Result<ContactRequest> {
    let ts = now();
    let request = ContactRequest {
        handle: ContactRequestHandle::from_bytes(random_bytes()?),
        sender,
        address: address.to_owned(),
        message: message.map(str::to_owned),
        ignored: false,
        ts,
        uts: ts,
        linked,
    };
    db.execute(
        "INSERT INTO contact_requests (handle, sender, address, message, ignored, ts, uts, linked)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5, ?6)",
        params![request.handle.as_bytes(), sender.as_bytes(), address, message, ts, linked],
    )?;
    Ok(request)
}

/// Notes that a request was sent again.
pub(crate) fn remind(db: &Connection, request: ContactRequestHandle) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE contact_requests SET uts = ?2, ignored = 0 WHERE handle = ?1",
        params![request.as_bytes(), now()],
    )?;
    Ok(())
}

/// Hides a request from its reader.
pub(crate) fn ignore(db: &Connection, request: ContactRequestHandle) -> rusqlite::Result<()> {
    db.execute("UPDATE contact_requests SET ignored = 1 WHERE handle = ?1", [request.as_bytes()])?;
    Ok(())
}

/// Removes a request, with the shares that wait for it.
pub(crate) fn remove_request(
    db: &Connection,
    request: ContactRequestHandle,
) -> rusqlite::Result<()> {
    db.execute("DELETE FROM contact_requests WHERE handle = ?1", [request.as_bytes()])?;
    Ok(())
}
